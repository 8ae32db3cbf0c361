/** By their length: what masked names are made of. */
export const FAMILY_NAMES: readonly string[] = (
  '森 林 東 南 原 谷 関 堀 辻 星 岡 菅 ' +
  '佐野 青木 藤田 西村 岡田 松本 井上 木村 清水 斎藤 長谷 福田 太田 三浦 藤原 松田 中川 中野 原田 小野 田村 竹内 金子 和田 ' +
  '石田 上田 森田 柴田 酒井 工藤 横山 宮崎 宮本 内田 高木 安藤 谷口 大野 丸山 今井 河野 藤本 村田 武田 上野 杉山 増田 平野 ' +
  '長谷川 佐々木 五十嵐 久保田 大久保 小田切 宇佐美 二階堂 日比野 小笠原'
).split(' ');

export const GIVEN_NAMES: readonly string[] = (
  '翼 誠 薫 恵 昇 歩 希 遥 楓 凛 渉 剛 ' +
  '真央 千夏 彩花 優奈 美月 桃子 春香 由美 明美 和子 智子 裕子 美穂 沙織 麻衣 直樹 和也 大輔 翔太 雄一 健一 達也 誠司 浩二 ' +
  '洋平 悠斗 颯太 陽向 湊斗 朝日 樹里 理沙 文子 静香 ' +
  '真由美 久美子 恵美子 由紀子 奈津子 健太郎 慎太郎 雄二郎 竜之介 源三郎'
).split(' ');

export const KANA_NAMES: readonly string[] = (
  'あや いと うた えま かな くみ さえ しの すみ たえ ちか とわ なお のあ ふみ まお みほ ゆめ りさ れな ' +
  'あかり いずみ かえで こころ さやか すずね つむぎ なつみ はるな ひより ほのか まりな みのり めぐみ やよい わかな ' +
  'さくらこ ひまわり みずほこ'
).split(' ');

export const LATIN_NAMES: readonly string[] = (
  'Ai Bo Jo Ken Rei Mia Leo Ana Kai Noa Emi Aki Mika Yuki Kana Nora Otto Lena Hugo Erik Maki Sora ' +
  'Akira Naomi Sofia Oscar Elena Marco Hanna Keiko Haruki Satomi Martin Oliver Miriam Daniel Kazuko Masato ' +
  'Matthew Natalie Yoshiko Barbara Sebastian Alexandra Christian'
).split(' ');

/** Words of two ideographs, of which masked sentences are made; a single one stands for itself. */
export const KANJI_WORDS: readonly string[] = (
  '会議 予定 資料 確認 連絡 報告 計画 準備 相談 作業 担当 内容 時間 場所 部長 課長 社員 会社 商品 価格 注文 納品 契約 書類 ' +
  '電話 郵便 写真 音楽 映画 料理 野菜 果物 朝食 昼食 夕食 散歩 旅行 電車 飛行 空港 駅前 病院 学校 教室 図書 辞書 宿題 試験 ' +
  '天気 気温 台風 地震 海岸 山頂 公園 道路 信号 建物 部屋 玄関 台所 家族 友人 先生 学生 医師 店員 旅館 温泉 祭日 季節 春分 ' +
  '夏至 秋風 冬空 午前 午後 今朝 昨日 来月 先週 毎年 最近 将来 目標 結果 原因 理由 方法 順番 種類 数量 合計 平均 比較 検討 ' +
  '提案 依頼 返信 送信 受信 登録 変更 削除 追加 更新 開始 終了 継続 中止 再開 完了 未定 可能 必要 重要 簡単 便利 安全 自由 ' +
  '新聞 雑誌 番組 機械 電池 部品 工場 倉庫 事務 経費 予算 売上 利益 費用 税金 保険 銀行 口座 財布 現金 切符 荷物 地図 名札'
).split(' ');

export const KATAKANA_WORDS: readonly string[] = (
  'ア ン ト リ メモ ドア バス ペン ケア ミス テスト データ メール ページ カード ホテル ビデオ サイズ ファイル プリント スタート ' +
  'サービス スタッフ アドレス ポスター システム カレンダー メッセージ キャンセル ミーティング スケジュール プロジェクト ' +
  'アシスタント コミュニケーション'
).split(' ');

export const HIRAGANA_PIECES: readonly string[] = (
  'は が を に の と も で へ や から まで です ます した して ある いる こと もの ため よう など また ' +
  'ました ません ですが ている という として いかが しました ましょう ください について ております によれば'
).split(' ');

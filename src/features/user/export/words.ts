export type Language = 'en' | 'ja';

/** What the page says, in both languages. */
export const WORDS = {
  en: {
    title: 'Your data',
    made: 'As of',
    database: 'database',
    scope: { policies: 'What you may see in the service.', all: 'All that is kept about you.' },
    tables: 'What this file holds',
    table: 'Table',
    rows: 'Rows',
    file: 'File',
    conversations: 'Conversations',
    untitled: 'Untitled conversation',
    others: 'Further data',
    more: (rows: number): string => `${rows} more rows are in the file beside this page.`,
    leftOut: 'What it does not hold',
    secrets: (names: string): string => `Passwords and other secrets are never handed out: ${names}.`,
    hidden: (rows: number, table: string): string =>
      `${rows} rows of ${table} are kept about you that the service does not show; ask for an export of all of it.`,
    missing: (month: string): string => `The messages of ${month} are in a file that was not at hand.`,
    role: { user: 'you', assistant: 'assistant', system: 'system', tool: 'tool' },
  },
  ja: {
    title: 'あなたのデータ',
    made: '作成時点',
    database: 'データベース',
    scope: {
      policies: 'サービスで閲覧できる範囲のデータです。',
      all: 'あなたについて保存されているすべてのデータです。',
    },
    tables: 'このファイルの内容',
    table: 'テーブル',
    rows: '件数',
    file: 'ファイル',
    conversations: '会話',
    untitled: '無題の会話',
    others: 'その他のデータ',
    more: (rows: number): string => `残り${rows}件は、このページと同じ場所のファイルにあります。`,
    leftOut: '含まれていないもの',
    secrets: (names: string): string => `パスワードなどの秘密情報は含まれません: ${names}`,
    hidden: (rows: number, table: string): string =>
      `${table}には、サービスで表示されないあなたに関するデータが${rows}件あります。すべての出力を請求できます。`,
    missing: (month: string): string => `${month}のメッセージは、手元にないファイルに保存されています。`,
    role: { user: 'あなた', assistant: 'アシスタント', system: 'システム', tool: 'ツール' },
  },
} as const;

/** The language of the user's preferences, where the page is written in it. */
export function languageOf(preference: string | null | undefined): Language {
  return /^ja([-_]|$)/i.test(preference ?? '') ? 'ja' : 'en';
}

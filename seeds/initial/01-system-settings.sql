-- The settings the platform starts with. One that was changed since is never overwritten.
insert into system_settings (key, value, description)
values
  ('app_version', '"1.0.0"', 'アプリケーションバージョン'),
  ('max_file_size', '10485760', '最大ファイルサイズ（バイト）'),
  ('supported_file_types', '["pdf", "txt", "docx", "md"]', 'サポートされるファイルタイプ'),
  ('default_llm_model', '"gemini-pro"', 'デフォルトLLMモデル')
on conflict do nothing;

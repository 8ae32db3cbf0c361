-- Files users have uploaded. The content is in storage elsewhere; this is what is known about it.

-- Up Migration

create table files (
  id              uuid                     primary key default gen_random_uuid(),
  user_id         uuid                     not null
                                           constraint files_user_id_fkey
                                           references users (id) on delete cascade,
  conversation_id uuid                     constraint files_conversation_id_fkey references conversations (id),
  -- SET NULL where the design document has the plain reference: deleting a message must neither fail on a file nor lose
  -- the only record of where the file is stored.
  message_id      uuid                     constraint files_message_id_fkey
                                           references message_keys (id) on delete set null
                                           deferrable,
  file_name       varchar(255)             not null,
  file_type       varchar(100),
  file_size       integer,
  storage_path    varchar(500),
  mime_type       varchar(100),
  is_processed    boolean                  default false,
  metadata        jsonb,
  created_at      timestamp with time zone not null default now(),
  updated_at      timestamp with time zone not null default now(),
  constraint files_file_name_not_blank check (file_name ~ '\S'),
  constraint files_file_size_not_negative check (file_size >= 0)
);

create index idx_files_user_id on files (user_id);
create index idx_files_conversation_id on files (conversation_id);
create index idx_files_message_id on files (message_id);
create index idx_files_file_type on files (file_type);
create index idx_files_is_processed on files (is_processed);
create index idx_files_unprocessed on files (user_id, created_at) where is_processed = false;

create trigger set_updated_at
  before update on files
  for each row
  execute function set_updated_at();

comment on table files is 'Files (ファイル管理): what users have uploaded.';
comment on column files.id is 'Identifier.';
comment on column files.user_id is 'Owner.';
comment on column files.conversation_id is 'Conversation the file belongs to; that one cannot be deleted before the file.';
comment on column files.message_id is
  'Message the file is attached to, live or archived; set to null when that message is deleted.';
comment on column files.file_name is 'Name the user gave it. pii: file';
comment on column files.file_type is 'Kind of file. pii: none';
comment on column files.file_size is 'Size in bytes.';
comment on column files.storage_path is 'Where the content is stored. pii: file';
comment on column files.mime_type is 'Media type of the content. pii: none';
comment on column files.is_processed is 'True once the content has been read.';
comment on column files.metadata is 'Further attributes. pii: json';
comment on column files.created_at is 'Time the row was created.';
comment on column files.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('files');
end
$$;

-- Down Migration

drop table files;

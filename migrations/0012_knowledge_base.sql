-- What assistants know: pieces of text with their embeddings.

-- Up Migration

create table knowledge_base (
  id           uuid                     primary key default gen_random_uuid(),
  secretary_id uuid                     constraint knowledge_base_secretary_id_fkey references assistants (id),
  content      text                     not null,
  embedding    vector(1536),
  source_type  varchar(50),
  source_url   varchar(500),
  tags         text[],
  metadata     jsonb,
  created_at   timestamp with time zone not null default now(),
  updated_at   timestamp with time zone not null default now()
);

create index idx_knowledge_base_secretary_id on knowledge_base (secretary_id);
create index idx_knowledge_base_source_type on knowledge_base (source_type);
create index idx_knowledge_base_tags on knowledge_base using gin (tags);

-- As the design document has it, on an empty table: its lists are trained on nothing until it is rebuilt on real rows
-- (https://github.com/pgvector/pgvector#ivfflat). pgvector's notice about that is expected.
set local client_min_messages = 'warning';
create index idx_knowledge_base_embedding on knowledge_base using ivfflat (embedding vector_cosine_ops);

create trigger set_updated_at
  before update on knowledge_base
  for each row
  execute function set_updated_at();

comment on table knowledge_base is 'Knowledge (知識ベース): texts an assistant can look up by meaning.';
comment on column knowledge_base.id is 'Identifier.';
comment on column knowledge_base.secretary_id is 'Assistant that knows it; it cannot be deleted before its knowledge.';
comment on column knowledge_base.content is 'The text. pii: text';
comment on column knowledge_base.embedding is
  'Embedding of the text, 1536 dimensions, compared by cosine distance. pii: embedding';
comment on column knowledge_base.source_type is 'Kind of source. pii: none';
comment on column knowledge_base.source_url is 'Address of the source. pii: url';
comment on column knowledge_base.tags is 'Tags to search by. pii: text';
comment on column knowledge_base.metadata is 'Further attributes. pii: json';
comment on column knowledge_base.created_at is 'Time the row was created.';
comment on column knowledge_base.updated_at is 'Time of the last change, kept by trigger.';

do $$
begin
  perform aisec_revoke_all('knowledge_base');
end
$$;

-- Down Migration

drop table knowledge_base;

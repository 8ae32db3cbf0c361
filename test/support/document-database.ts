import { documentStatements, failingStatements } from '../fixtures/design-document.js';

type Run = (sql: string) => Promise<unknown>;

/** What the document takes for granted: the extension of its type, and the role of its policies. */
const GRANTED = `
  create extension if not exists vector;
  do $$
  begin
    create role authenticated nologin;
  exception
    when duplicate_object or unique_violation then
      null;
  end
  $$`;

/** Builds the literal design document in an empty database, but for its statements that cannot run, as a team did by hand. */
export async function buildDocument(run: Run): Promise<void> {
  await run(GRANTED);
  for (const { text } of await documentStatements()) {
    const failing = failingStatements.find(({ begins }) => text.startsWith(begins));
    if (failing !== undefined && failing.supply === undefined) continue;
    if (failing?.supply !== undefined) await run(failing.supply);
    await run(text);
  }
}

/** Users with hashes of another program, their conversations, and messages of eight months, some of them replies. */
export async function fillDocument(run: Run, messages: number): Promise<void> {
  await run(`
    insert into users (username, email, password_hash)
    select 'user' || n, 'user' || n || '@example.com', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA'
    from generate_series(1, 20) n;
    insert into assistants (user_id, name) select id, 'Assistant of ' || username from users;
    insert into conversations (user_id, assistant_id, title) select user_id, id, 'About ' || name from assistants;
    insert into messages (conversation_id, role, content, created_at, metadata)
    select c.id, (array['user', 'assistant'])[1 + n % 2], 'message ' || n, now() - (n % 240) * interval '1 day', '{"n": 1}'
    from generate_series(1, ${messages}) n
    join (select id, row_number() over () as place from conversations) c on c.place = 1 + n % 20;
    update messages m
    set parent_id = p.id
    from (select distinct on (conversation_id) conversation_id, id from messages order by conversation_id, id) p
    where p.conversation_id = m.conversation_id and p.id < m.id and m.id::text like '%0';
    insert into files (user_id, conversation_id, message_id, file_name)
    select c.user_id, c.id, m.id, 'notes.txt'
    from messages m
    join conversations c on c.id = m.conversation_id
    limit 50;
    analyze`);
}

-- Searching knowledge by its words, in languages with and without spaces.
--
-- PostgreSQL's text search finds words between spaces, which Japanese does not have. Here a run of Chinese, Japanese or
-- Korean characters is cut into pairs (鎌倉の天気: 鎌倉, 倉の, の天, 天気), everything else into words.
--
-- The index is on an expression, so that knowledge_base has no further column and is not rewritten. The expression takes
-- up to a millisecond for a row of a thousand characters; a search must not evaluate it. @@ is not leakproof, so under
-- row-level security PostgreSQL would evaluate it for every row of the user and never ask the index
-- (https://www.postgresql.org/docs/16/rules-privileges.html). Therefore a function of the owner asks the index, for the
-- assistants of the current user only, and returns identifiers; the rows themselves are read under the policies.

-- Up Migration

-- The pairs and words of a text, in lower case and one width (NFKC: ｶﾞ and ガ, Ａ and a), English words as their stem. The
-- last character of a run stands alone as well, so that every character begins a term; in a question it does not, and a
-- run of one character is that character.
--
-- Of a text only the first 100,000 characters count, and of a word 64: a tsvector has a megabyte, a lexeme 2 KB
-- (https://www.postgresql.org/docs/16/textsearch-limitations.html).
create function aisec_text_terms(content text, is_question boolean)
  returns text[]
  language plpgsql
  immutable
  strict
  parallel safe
  cost 100000
  set search_path from current
as $$
declare
  most constant integer := 100000;
  plain constant text := left(lower(normalize(left(content, most), nfkc)), most);
  -- Ideographs, kana and hangul, with the marks of repetition and of long vowels.
  runs constant text := trim(regexp_replace(
    plain,
    '[^\u3005-\u3007\u3041-\u3096\u309d\u309e\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff'
      '\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+',
    ' ', 'g'
  ));
  -- Digits, and the letters of other alphabets with their marks.
  words constant text := trim(regexp_replace(
    plain,
    '[^0-9a-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0300-\u1fff\u2c00-\u2dff\ua640-\uabff]+',
    ' ', 'g'
  ));
  characters constant text[] := string_to_array(runs, null);
begin
  return array(
    select rtrim(p.one || p.two)
    from unnest(characters, characters[2:] || ' '::text, ' '::text || characters) p (one, two, before)
    where p.one <> ' '
      and (not is_question or p.two <> ' ' or p.before = ' ')
  ) || array(
    select coalesce((ts_lexize('pg_catalog.english_stem', left(w.word, 64)))[1], left(w.word, 64))
    from unnest(string_to_array(words, ' ')) w (word)
    where w.word <> ''
  );
end
$$;

-- One query for each term of a question, at most 64. A single character is searched as the beginning of a pair. English
-- words that every text has are left out, unless the question has nothing else.
create function aisec_question_terms(question text)
  returns tsquery[]
  language sql
  immutable
  strict
  parallel safe
  set search_path from current
as $$
  with term as (
    select t.term, min(t.place) as place, ts_lexize('pg_catalog.english_stem', t.term) = '{}' as is_stop_word
      from unnest(aisec_text_terms(left(question, 2000), true)) with ordinality t (term, place)
     group by t.term
  )
  select array(
    -- No term has a quote or a backslash in it.
    select (quote_literal(t.term) || case when length(t.term) = 1 and t.term > 'z' collate "C" then ':*' else '' end)::tsquery
      from term t
     where t.is_stop_word is not true
        or not exists (select from term o where o.is_stop_word is not true)
     order by t.place
     limit 64
  )
$$;

-- Ranks as BM25 does with each term counted once: rare terms weigh more, and short texts. How rare a term is, is counted
-- among the same rows, so that a rank says nothing of others. Every plan but that of the index would evaluate the
-- expression for whole tables, so the planner is left none; one plan for each call, which knows whether assistants are given.
create function aisec_match_knowledge(terms tsquery[], assistants uuid[], max_rows integer)
  returns table (id uuid, score double precision)
  language plpgsql
  stable
  rows 100
  set search_path from current
  set plan_cache_mode to force_custom_plan
  set enable_seqscan to off
  set work_mem to '64MB'
  set jit to off
as $$
#variable_conflict use_column
declare
  total double precision;
begin
  if not exists (
    select from pg_index i where i.indexrelid = to_regclass('idx_knowledge_base_terms') and i.indisvalid
  ) then
    raise exception 'the index idx_knowledge_base_terms is missing or INVALID'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Without it every text would be cut into its terms again. Run: aisec migrate drift';
  end if;
  -- Beyond ten thousand it makes no difference.
  select count(*)
    into total
    from (
      select from knowledge_base k where assistants is null or k.secretary_id = any (assistants) limit 10000
    ) counted;
  return query
  with hit as materialized (
    select found.id, t.place, found.size
      from unnest(terms) with ordinality t (term, place)
     cross join lateral (
       -- OFFSET keeps the join from becoming a filter that evaluates the expression for every row of the assistants.
       select k.id, octet_length(k.content) as size
         from knowledge_base k
        where array_to_tsvector(aisec_text_terms(k.content, false)) @@ t.term
          and (assistants is null or k.secretary_id = any (assistants))
       offset 0
     ) found
  ), weight as (
    select h.place, ln(1 + (greatest(total, count(*)) - count(*) + 0.5) / (count(*) + 0.5)) as weight
      from hit h
     group by h.place
  ), usual as (
    select avg(h.size)::double precision as size
      from hit h
  )
  select h.id, sum(w.weight * 2.2::double precision / (1 + 1.2 * (0.25 + 0.75 * h.size / usual.size)))
    from hit h
    join weight w on w.place = h.place
   cross join usual
   group by h.id
   order by 2 desc, 1
   limit max_rows;
end
$$;

-- For roles under row-level security: whatever assistants are asked for, only the user's own.
create function aisec_match_own_knowledge(terms tsquery[], assistants uuid[], max_rows integer)
  returns table (id uuid, score double precision)
  language sql
  stable
  security definer
  rows 100
  set search_path from current
as $$
  select m.id, m.score
    from aisec_match_knowledge(
      terms,
      array(
        select a.id
          from assistants a
         where a.user_id = current_user_id()
           and (aisec_match_own_knowledge.assistants is null or a.id = any (aisec_match_own_knowledge.assistants))
      ),
      max_rows
    ) m
$$;

create function find_knowledge(question text, assistants uuid[] default null, max_rows integer default 10)
  returns table (id uuid, score double precision)
  language plpgsql
  stable
  rows 100
  set search_path from current
as $$
#variable_conflict use_variable
begin
  if max_rows is null or max_rows < 1 then
    raise exception 'invalid max_rows "%", expected a positive number', coalesce(max_rows::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if row_security_active('knowledge_base') then
    return query
    select m.id, m.score from aisec_match_own_knowledge(aisec_question_terms(question), assistants, max_rows) m;
  else
    return query
    select m.id, m.score from aisec_match_knowledge(aisec_question_terms(question), assistants, max_rows) m;
  end if;
end
$$;

comment on function aisec_text_terms(text, boolean) is
  'Internal: what a text is found by: pairs of Chinese, Japanese and Korean characters, and words. For a question without '
  'the ends of runs. Immutable: an index is on it.';
comment on function aisec_question_terms(text) is
  'Internal: a text search query for each term of a question, at most 64. Whatever the question holds, none of it is an operator.';
comment on function aisec_match_knowledge(tsquery[], uuid[], integer) is
  'Internal: the rows of knowledge_base that have some of the terms, the best first, of these assistants or, with null, of all.';
comment on function aisec_match_own_knowledge(tsquery[], uuid[], integer) is
  'Internal: aisec_match_knowledge over the assistants of the current user, which role authenticated may call.';
comment on function find_knowledge(text, uuid[], integer) is
  'The rows of knowledge_base that a question has words in common with, the best first: of the assistants of the current '
  'user where row-level security is in force, else of all; with assistants given, only of these.';

do $$
begin
  perform aisec_revoke_execute(
    'aisec_text_terms(text, boolean)',
    'aisec_question_terms(text)',
    'aisec_match_knowledge(tsquery[], uuid[], integer)',
    'aisec_match_own_knowledge(tsquery[], uuid[], integer)',
    'find_knowledge(text, uuid[], integer)'
  );
end
$$;
-- Whichever role writes a row evaluates it for the index, so a grant to some would stop the inserts of all others.
grant execute on function aisec_text_terms(text, boolean) to public;
grant execute
  on function
    aisec_question_terms(text),
    aisec_match_knowledge(tsquery[], uuid[], integer),
    aisec_match_own_knowledge(tsquery[], uuid[], integer),
    find_knowledge(text, uuid[], integer)
  to authenticated;

-- Terms of new rows wait in a list until there are enough of them to be sorted in (fastupdate), which makes a write
-- cheaper than a search dearer.
create index idx_knowledge_base_terms
  on knowledge_base
  using gin (array_to_tsvector(aisec_text_terms(content, false)));

comment on index idx_knowledge_base_terms is 'Search by words: find_knowledge. Dropped, an insert is cheaper and such a search fails.';

-- Down Migration

drop index idx_knowledge_base_terms;

drop function
  find_knowledge(text, uuid[], integer),
  aisec_match_own_knowledge(tsquery[], uuid[], integer),
  aisec_match_knowledge(tsquery[], uuid[], integer),
  aisec_question_terms(text),
  aisec_text_terms(text, boolean);

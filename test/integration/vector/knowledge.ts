/** SQL that fills knowledge_base with `rows` embeddings in 30 clusters; the same ones each time. */
export function clusteredKnowledge(rows: number): string {
  return `
    set max_parallel_workers_per_gather = 0;
    select setseed(0.5);
    create temp table center as
      select c, (select array_agg(random() - 0.5 + (c + i) * 0) from generate_series(1, 1536) i)::vector as v
      from generate_series(0, 29) c;
    insert into knowledge_base (content, embedding)
      select 'row ' || n, center.v + (select array_agg((random() - 0.5) * 0.4 + (n + i) * 0) from generate_series(1, 1536) i)::vector
      from generate_series(1, ${rows}) n
      join center on center.c = n % 30;
    drop table center;
    analyze knowledge_base`;
}

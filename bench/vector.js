// Recall of a vector search with the design document's index, and after `aisec vector rebuild` and `aisec vector tune`.
//
//   npm run bench:vector [rows]      default 20,000; needs a PostgreSQL server with a superuser:
//                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// The embeddings lie in 200 clusters that differ in 48 directions within, as the research report has them; the queries
// are new ones from the same clusters, not rows of the table. recall@10 is the share of the true ten nearest rows.
import { CompiledQuery } from 'kysely';

import { createDatabase, searchKnowledge, toVector } from '../dist/index.js';
import { median } from './measure.js';
import { ms, percentile, printFigures } from './support/figures.js';
import { seededRandom } from './support/random.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisecWell, urlOf } from './support/server.js';

const ROWS = Number(process.argv[2] ?? 20_000);
const [CLUSTERS, DIRECTIONS, QUERIES, DIMENSIONS] = [200, 48, 100, 1536];
const LEAST_RECALL = 0.95;
const database = 'aisec_bench_vector';
const random = seededRandom(7);

/** A number of about the normal distribution. */
const normal = () => random.next() + random.next() + random.next() + random.next() - 2;
const direction = () => Float64Array.from({ length: DIMENSIONS }, normal);

const clusters = Array.from({ length: CLUSTERS }, direction);
const basis = Array.from({ length: DIRECTIONS }, direction);

function embedding() {
  const vector = Float64Array.from(random.pick(clusters) ?? direction());
  for (const axis of basis) {
    const share = normal() * 0.15;
    for (let index = 0; index < DIMENSIONS; index += 1)
      vector[index] = (vector[index] ?? 0) + share * (axis[index] ?? 0);
  }
  const length = Math.hypot(...vector);
  return Array.from(vector, (value) => Number((value / length).toFixed(6)));
}

console.log(`load before: ${machineLoad()}`);
await migratedDatabase(database);
const admin = await connect(database);
const db = createDatabase({ url: urlOf(database), poolSize: 1, maxOverflow: 0 });
/** @type {{ figure: string, value: string, target?: string }[]} */
const figures = [];
try {
  for (let row = 0; row < ROWS; row += 500) {
    const batch = Array.from({ length: Math.min(500, ROWS - row) }, () => toVector(embedding()));
    await db.executeQuery(
      CompiledQuery.raw(
        `insert into knowledge_base (content, embedding) select 'row', e::vector from unnest($1::text[]) e`,
        [batch],
      ),
    );
  }
  await admin.query('vacuum analyze knowledge_base');
  const queries = Array.from({ length: QUERIES }, embedding);

  /** @param {import('../dist/client/knowledge/search-options.js').KnowledgeSearch['accuracy']} [accuracy] */
  const searchAll = async (accuracy) => {
    const [times, found] = [/** @type {number[]} */ ([]), /** @type {Set<string>[]} */ ([])];
    for (const query of queries) {
      const startedMs = performance.now();
      const rows = await searchKnowledge(db, { embedding: query, limit: 10, ...(accuracy && { accuracy }) });
      times.push(performance.now() - startedMs);
      found.push(new Set(rows.map(({ id }) => id)));
    }
    return { times, found };
  };
  const exact = await searchAll('exact');
  /** @param {string} figure @param {Awaited<ReturnType<typeof searchAll>>} searched @param {string} [target] */
  const note = (figure, { times, found }, target = '') => {
    const hits = found.flatMap((ids, index) => [...ids].filter((id) => exact.found[index]?.has(id))).length;
    const value = `recall@10 ${(hits / (10 * QUERIES)).toFixed(3)}, median ${ms(median(times))}, 95 % ${ms(percentile(times, 0.95))}`;
    figures.push({ figure, value, target });
    console.error(`${figure}: ${value}`);
  };
  note('exact search', exact);
  note("the document's index, trained on nothing", await searchAll(), 'about 0.26');
  const size = async () => {
    const { rows } = await admin.query(`select pg_relation_size('idx_knowledge_base_embedding') as bytes`);
    return Number(rows[0].bytes) / 1024 ** 2;
  };
  /** @type {Record<string, number>} */
  const sizes = {};
  for (const [method, type] of /** @type {const} */ ([
    ['ivfflat', 'vector'],
    ['ivfflat', 'halfvec'],
    ['hnsw', 'vector'],
    ['hnsw', 'halfvec'],
  ])) {
    const built = await runAisecWell(database, ['vector', 'rebuild', '--method', method, '--type', type]);
    sizes[`${method} ${type}`] = await size();
    const half = type === 'halfvec' ? (sizes[`${method} halfvec`] ?? 0) / (sizes[`${method} vector`] ?? 1) : undefined;
    figures.push({
      figure: `index ${method} on ${type}`,
      value: `${(await size()).toFixed(1)} MiB${half === undefined ? '' : `, ${half.toFixed(2)} of vector`}`,
      target: half === undefined ? '' : 'about 0.5',
    });
    note(`after aisec vector rebuild --method ${method} --type ${type} (${ms(built.wallMs)})`, await searchAll());
    const tuned = await runAisecWell(database, ['vector', 'tune', '--recall', '0.97', '--json']);
    const { best, setting } = JSON.parse(tuned.stdout);
    const accuracy = method === 'hnsw' ? { efSearch: best.value } : { probes: best.value };
    note(
      `  and aisec vector tune --recall 0.97 (${setting} = ${best.value}, ${ms(tuned.wallMs)})`,
      await searchAll(accuracy),
      `at least ${LEAST_RECALL}`,
    );
  }
} finally {
  await db.destroy();
  await admin.end();
  await dropDatabase(database);
}
console.log(`load after: ${machineLoad()}; ${ROWS} rows, ${QUERIES} queries`);
printFigures(figures);

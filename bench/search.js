// What a search by words, by an embedding and by both finds of a judged set, and how long each takes.
//
//   npm run bench:search [rows]      default 20,000; needs a PostgreSQL server with a superuser:
//                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// There is no model here: an embedding is the hashed pieces of a text, one to three characters long. It knows spelling and
// nothing of meaning, so it forgives slips and forms and does not find other words for the same, as a model would. The
// figures of the two halves are those of this stand-in; what holds for any is how the fusion compares with its halves.
import { createHash } from 'node:crypto';

import { createDatabase, insertKnowledge, searchKnowledge, withUser } from '../dist/index.js';
import { median, printRatio } from './measure.js';
import { ms, percentile, printFigures } from './support/figures.js';
import { DOCUMENTS, QUESTIONS } from './support/judged-knowledge.js';
import { seededRandom } from './support/random.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisecWell, urlOf } from './support/server.js';

const ROWS = Number(process.argv[2] ?? 20_000);
const [DIMENSIONS, ROUNDS, MOST] = [1536, 60, 1.5];
const database = 'aisec_bench_search';
const judged = '10000000-0000-4000-8000-000000000001';
const many = '10000000-0000-4000-8000-000000000002';
const random = seededRandom(11);

/** @param {string} text */
function embed(text) {
  const vector = new Float64Array(DIMENSIONS);
  const characters = Array.from(` ${text.normalize('NFKC').toLowerCase()} `);
  for (let length = 1; length <= 3; length += 1)
    for (let start = 0; start + length <= characters.length; start += 1) {
      const hash = createHash('md5')
        .update(characters.slice(start, start + length).join(''))
        .digest();
      const place = hash.readUInt32LE(0) % DIMENSIONS;
      vector[place] = (vector[place] ?? 0) + ((hash[4] ?? 0) % 2 === 0 ? length : -length);
    }
  const size = Math.hypot(...vector) || 1;
  return Array.from(vector, (value) => Number((value / size).toFixed(6)));
}

/** Words of two characters, a few of them common and most rare, with particles between. */
const words = Array.from({ length: 4000 }, () =>
  String.fromCodePoint(0x4e00 + random.below(3000), 0x4e00 + random.below(3000)),
);
const particles = ['の', 'を', 'に', 'が', 'は', 'と', 'です。', 'ます。', 'して', 'から'];
const word = () => words[Math.floor(words.length * random.next() ** 3)] ?? '';
const sentence = (/** @type {number} */ length) =>
  Array.from({ length }, () => word() + (random.pick(particles) ?? '')).join('');

console.log(`load before: ${machineLoad()}`);
await migratedDatabase(database);
const admin = await connect(database);
const db = createDatabase({ url: urlOf(database), poolSize: 1, maxOverflow: 0 });
try {
  for (const id of [judged, many]) {
    await admin.query(
      `insert into users (id, username, email, password_hash) values ($1, $2::text, $2::text || '@x', 'h')`,
      [id, id],
    );
    await admin.query(`insert into assistants (id, user_id, name) values ($1, $1, 'a')`, [id]);
  }
  await insertKnowledge(
    db,
    DOCUMENTS.map(([name, content]) => ({
      secretary_id: judged,
      content,
      source_type: name,
      embedding: embed(content),
    })),
  );
  for (let row = 0; row < ROWS; row += 500)
    await insertKnowledge(
      db,
      Array.from({ length: Math.min(500, ROWS - row) }, () => {
        const content = sentence(60);
        return { secretary_id: many, content, embedding: embed(content.slice(0, 120)) };
      }),
    );
  await runAisecWell(database, ['vector', 'rebuild', '--method', 'hnsw']);
  await admin.query('vacuum analyze knowledge_base');

  /** @type {Record<string, (text: string) => import('../dist/index.js').KnowledgeSearch>} */
  const ways = {
    'by the embedding': (text) => ({ embedding: embed(text) }),
    'by words': (text) => ({ text }),
    'by both': (text) => ({ text, embedding: embed(text) }),
  };
  const figures = [];
  for (const [way, wanted] of Object.entries(ways)) {
    let [recall, gain, first] = [0, 0, 0];
    for (const { text, relevant } of QUESTIONS) {
      const found = await withUser(db, judged, (trx) => searchKnowledge(trx, { ...wanted(text), limit: 10 }));
      const hits = found.map(({ source_type: name }) => relevant.includes(name ?? ''));
      recall += hits.filter(Boolean).length / relevant.length;
      first += hits[0] === true ? 1 : 0;
      const share = (/** @type {number} */ place) => 1 / Math.log2(place + 2);
      const best = relevant.reduce((sum, _, place) => sum + share(place), 0);
      gain += hits.reduce((sum, isHit, place) => sum + (isHit ? share(place) : 0), 0) / best;
    }
    const mean = (/** @type {number} */ sum) => (sum / QUESTIONS.length).toFixed(3);
    figures.push({
      figure: way,
      value: `recall@10 ${mean(recall)}, nDCG@10 ${mean(gain)}, first right ${mean(first)}`,
    });
  }

  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (let round = -5; round < ROUNDS; round += 1) {
    const text = sentence(3);
    for (const [way, wanted] of Object.entries(ways)) {
      const search = wanted(text);
      const startedMs = performance.now();
      await withUser(db, many, (trx) => searchKnowledge(trx, search));
      if (round >= 0) times[way]?.push(performance.now() - startedMs);
    }
  }
  for (const [way, values] of Object.entries(times))
    figures.push({
      figure: `${way}, of ${ROWS} own rows`,
      value: `median ${ms(median(values))}, 95 % ${ms(percentile(values, 0.95))}`,
    });
  const { rows: sizes } = await admin.query(`
    select relname as name, pg_size_pretty(pg_relation_size(oid)) as size
    from pg_class
    where relname in ('idx_knowledge_base_terms', 'idx_knowledge_base_embedding', 'knowledge_base')
    order by relname`);
  for (const { name, size } of sizes) figures.push({ figure: `size of ${name}`, value: size });
  console.log(`load after: ${machineLoad()}; ${DOCUMENTS.length} judged texts, ${QUESTIONS.length} questions`);
  printFigures(figures);
  const of = (/** @type {string} */ way) => median(times[way] ?? []);
  printRatio(
    'a search by both against the slower of its halves',
    of('by both') / Math.max(of('by words'), of('by the embedding')),
    MOST,
  );
} finally {
  await db.destroy();
  await admin.end();
  await dropDatabase(database);
}

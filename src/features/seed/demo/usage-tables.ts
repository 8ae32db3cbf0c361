import { textArray, type CopyRow } from '../../../adapters/postgres/copy.js';
import { createCluster, embeddingNear, type Cluster } from './embedding.js';
import { fillIn, subjectOf } from './fill-in.js';
import { pickAssistant, pickUser, timestamp, type DemoPlan } from './plan.js';
import { numberedRows, type DemoTable } from './table.js';

const MESSAGES_A_CALL = 4;
/** Measured: a row with its embedding against a message. */
const EMBEDDING_WEIGHT = 25;

/** Price of a thousand tokens, in US dollars. */
const APIS: readonly (readonly [name: string, price: number])[] = [
  ['gemini-pro', 0.005],
  ['gemini-flash', 0.0004],
  ['gpt-4o', 0.0075],
  ['claude-sonnet', 0.009],
  ['text-embedding-3-small', 0.00002],
];

function knowledgeRow(plan: DemoPlan, clusters: readonly Cluster[], index: number): CopyRow {
  const { texts, timeOf, options } = plan;
  const random = plan.random('knowledge', index);
  const share = (index + random.fraction()) / options.embeddings;
  const assistant = pickAssistant(pickUser(plan, share, random), random);
  const cluster = random.below(clusters.length);
  const topic = texts.topics[cluster];
  const near = clusters[cluster];
  if (topic === undefined || near === undefined) throw new Error(`there is no topic ${cluster}`);
  const created = timestamp(timeOf(share));
  const source = random.pick(['document', 'conversation', 'web']);
  return [
    plan.id('knowledge_base', index),
    plan.id('assistants', assistant),
    fillIn(random.pick(topic.facts), texts, subjectOf(texts, random), random),
    embeddingNear(near, random),
    source,
    source === 'web' ? `https://www.example.com/${topic.code}/${index + 1}` : null,
    textArray([topic.code, source]),
    JSON.stringify({ demo: true, model: 'demo' }),
    created,
    created,
  ];
}

/** What assistants know, with embeddings in one cluster for each topic. */
export function knowledgeTable(plan: DemoPlan): DemoTable {
  const count = plan.options.embeddings;
  return {
    table: 'knowledge_base',
    columns: [
      'id',
      'secretary_id',
      'content',
      'embedding',
      'source_type',
      'source_url',
      'tags',
      'metadata',
      'created_at',
      'updated_at',
    ],
    count,
    weight: EMBEDDING_WEIGHT,
    rows: () => {
      const clusters = plan.texts.topics.map((_, index) => createCluster(plan.random('cluster', index)));
      return numberedRows(count, (index) => knowledgeRow(plan, clusters, index));
    },
  };
}

function usageRow(plan: DemoPlan, index: number, count: number): CopyRow {
  const random = plan.random('usage', index);
  const share = (index + random.fraction()) / count;
  const assistant = pickAssistant(pickUser(plan, share, random), random);
  const [api, price] = random.pick(APIS);
  const failure = random.chance(0.015) ? random.pick(plan.texts.failures) : null;
  const tokens = failure === null ? 80 + Math.floor(random.waiting(900)) : 0;
  return [
    plan.id('api_usage', index),
    plan.id('assistants', assistant),
    api,
    tokens,
    ((tokens / 1000) * price).toFixed(4),
    Math.floor(250 + tokens * random.between(0.5, 2)),
    failure === null,
    failure,
    '{"demo": true}',
    timestamp(plan.timeOf(share)),
  ];
}

/** What calls to language models cost. */
export function usageTable(plan: DemoPlan): DemoTable {
  const count = Math.ceil(plan.options.messages / MESSAGES_A_CALL);
  return {
    table: 'api_usage',
    columns: [
      'id',
      'secretary_id',
      'api_name',
      'tokens_used',
      'cost',
      'response_time_ms',
      'success',
      'error_message',
      'metadata',
      'created_at',
    ],
    count,
    rows: () => numberedRows(count, (index) => usageRow(plan, index, count)),
  };
}

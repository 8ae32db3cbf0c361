import { textArray } from '../../../adapters/postgres/copy.js';
import { createCluster, embeddingNear, type Cluster } from './embedding.js';
import { fillIn, subjectOf } from './fill-in.js';
import { pickAssistant, pickUser, timestamp, type DemoPlan } from './plan.js';
import { demoTable, numberedRows, type DemoRow, type DemoTable } from './table.js';

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

function knowledgeRow(plan: DemoPlan, clusters: readonly Cluster[], index: number): DemoRow<'knowledge_base'> {
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
  return {
    id: plan.id('knowledge_base', index),
    secretary_id: plan.id('assistants', assistant),
    content: fillIn(random.pick(topic.facts), texts, subjectOf(texts, random), random),
    embedding: embeddingNear(near, random),
    source_type: source,
    source_url: source === 'web' ? `https://www.example.com/${topic.code}/${index + 1}` : null,
    tags: textArray([topic.code, source]),
    metadata: JSON.stringify({ demo: true, model: 'demo' }),
    created_at: created,
    updated_at: created,
  };
}

/** What assistants know, with embeddings in one cluster for each topic. */
export function knowledgeTable(plan: DemoPlan): DemoTable {
  const count = plan.options.embeddings;
  return demoTable({
    table: 'knowledge_base',
    count,
    weight: EMBEDDING_WEIGHT,
    rows: () => {
      const clusters = plan.texts.topics.map((_, index) => createCluster(plan.random('cluster', index)));
      return numberedRows(count, (index) => knowledgeRow(plan, clusters, index));
    },
  });
}

function usageRow(plan: DemoPlan, index: number, count: number): DemoRow<'api_usage'> {
  const random = plan.random('usage', index);
  const share = (index + random.fraction()) / count;
  const assistant = pickAssistant(pickUser(plan, share, random), random);
  const [api, price] = random.pick(APIS);
  const failure = random.chance(0.015) ? random.pick(plan.texts.failures) : null;
  const tokens = failure === null ? 80 + Math.floor(random.waiting(900)) : 0;
  return {
    id: plan.id('api_usage', index),
    secretary_id: plan.id('assistants', assistant),
    api_name: api,
    tokens_used: tokens,
    cost: ((tokens / 1000) * price).toFixed(4),
    response_time_ms: Math.floor(250 + tokens * random.between(0.5, 2)),
    success: failure === null,
    error_message: failure,
    metadata: '{"demo": true}',
    created_at: timestamp(plan.timeOf(share)),
  };
}

/** What calls to language models cost. */
export function usageTable(plan: DemoPlan): DemoTable {
  const count = Math.ceil(plan.options.messages / MESSAGES_A_CALL);
  return demoTable({
    table: 'api_usage',
    count,
    rows: () => numberedRows(count, (index) => usageRow(plan, index, count)),
  });
}

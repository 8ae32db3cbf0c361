import { assistantTables } from './assistant-tables.js';
import { componentTables } from './component-tables.js';
import { conversationTables } from './conversation-tables.js';
import { fileTable } from './file-table.js';
import type { DemoOptions } from './options.js';
import { peopleTables } from './people-tables.js';
import { timestamp, type DemoPlan } from './plan.js';
import { demoTable, type DemoTable } from './table.js';
import { knowledgeTable, usageTable } from './usage-tables.js';

/** The key of the setting that records which demo data is in a database. */
export function markerKey({ locale, seed }: DemoOptions): string {
  return `demo_data.${locale}.${seed}`;
}

function markerTable(plan: DemoPlan): DemoTable {
  const { options, window } = plan;
  return demoTable({
    table: 'system_settings',
    count: 1,
    rows: () => [
      {
        id: plan.id('system_settings', 0),
        key: markerKey(options),
        value: JSON.stringify(options),
        description: 'Demo data of `aisec seed demo`: what it was made with.',
        updated_at: timestamp(window.untilMs),
      },
    ],
  });
}

/** All tables in the order of their foreign keys. message_keys is filled by trigger, messages_archive by archiving. */
export function demoTables(plan: DemoPlan, passwordHash: string): readonly DemoTable[] {
  const people = peopleTables(plan, passwordHash);
  return [
    people.users,
    ...componentTables(plan),
    ...assistantTables(plan),
    people.preferences,
    ...conversationTables(plan),
    fileTable(plan),
    knowledgeTable(plan),
    usageTable(plan),
    markerTable(plan),
  ];
}

import { defineCommand, type Context } from '../../command.js';

interface Options {
  readonly table?: readonly string[];
}

async function run(context: Context, { table }: Options): Promise<void> {
  const { schema } = context.config;
  const diagram = await context.withDatabase({ statementTimeoutMs: 60_000 }, async (session) => {
    const { readDiagram } = await import('../../../features/migrate/diagram/diagram.js');
    return readDiagram(session, schema, table);
  });
  if (context.output.options.isJson) context.output.result({ schema, diagram }, () => '');
  else context.output.text(`${diagram}\n`);
}

export const migrateDiagram = defineCommand<Options>({
  name: 'migrate diagram',
  summary: 'print the tables of the database as a Mermaid diagram',
  description:
    'Reads the live catalog and prints an erDiagram: tables with their columns and keys, and a line for each foreign key. Partitions belong to their table. GitHub, GitLab and most editors show it as a picture.',
  options: [
    {
      flags: '--table <name>',
      description: 'this table only, and lines between those that are chosen',
      parse: (text) => text,
      isRepeatable: true,
    },
  ],
  examples: [
    ['aisec migrate diagram > schema.mmd', 'Write the diagram of all tables'],
    ['aisec migrate diagram --table messages --table conversations', 'Two tables and what is between them'],
  ],
  run,
});

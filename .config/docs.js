// Writes docs/cli.md, docs/errors.md and the JSON Schemas in docs/json/, the command table of README.md, the table of checks of docs/doctor.md, that of
// thresholds of docs/monitoring.md and the rules of docs/lint.md from the program itself.
//
//   npm run docs        writes them
//   npm run docs:check  exits 1 when they are not what it would write (part of `npm run check`)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import prettier from 'prettier';

import { jsonSchemas } from './json-schemas.js';

const root = path.join(import.meta.dirname, '..');
const from = (module) => import(path.join(root, 'dist', module));
const [
  { COMMANDS, NOUNS },
  { buildProgram },
  { findCommand },
  { ERROR_TITLES },
  { EXIT_CODES, EXIT_CODE_BY_ERROR },
  { SETTINGS },
  { ALL_CHECKS },
  { THRESHOLDS, formatThreshold },
  { RULES_BY_AREA },
  { JSON_FORMAT_VERSION },
  { formatBytes },
] = await Promise.all([
  from('cli/commands.js'),
  from('cli/program.js'),
  from('cli/command-tree.js'),
  from('base/errors.js'),
  from('cli/exit-codes.js'),
  from('config/settings.js'),
  from('features/doctor/all-checks.js'),
  from('features/monitor/live/thresholds.js'),
  from('features/migrate/lint/all-rules.js'),
  from('cli/terminal/output.js'),
  from('base/bytes.js'),
]);

const NOTE = '<!-- Written by `npm run docs`. -->\n';
const cell = (text) => String(text ?? '').replaceAll('|', '\\|');
const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`;
const table = (titles, rows) => [row(...titles), row(...titles.map(() => '---')), ...rows].join('\n');

const program = buildProgram(() => undefined);
const usageOf = (spec) => {
  const [command] = findCommand(program, spec.name.split(' '));
  return command.createHelp().commandUsage(command);
};

const nouns = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))];
const verbsOf = (noun) =>
  COMMANDS.flatMap(({ name }) => (name.startsWith(`${noun} `) ? [name.slice(noun.length + 1)] : []));
/** One line a noun, for README; docs/cli.md has the verbs. */
const commandTable = table(
  ['command', 'what it does', 'with'],
  nouns.map((noun) => {
    const summary = NOUNS[noun] ?? COMMANDS.find(({ name }) => name === noun).summary;
    return row(
      `\`aisec ${noun}\``,
      summary,
      verbsOf(noun)
        .map((verb) => `\`${verb}\``)
        .join(', '),
    );
  }),
);
const settingsTable = table(
  ['environment', 'flag', 'default', 'meaning'],
  Object.values(SETTINGS).map((setting) =>
    row(
      `\`${setting.env}\``,
      setting.flag === undefined ? '' : `\`${setting.flag}\``,
      setting.default ?? '',
      setting.description,
    ),
  ),
);
const exitTable = table(
  ['code', 'meaning'],
  Object.entries(EXIT_CODES).map(([code, meaning]) => row(code, meaning)),
);

function commandPart(spec) {
  const options = spec.options.map((option) => row(`\`${option.flags}\``, option.description, option.default ?? ''));
  const examples = spec.examples.map(([command, meaning]) => `- ${meaning}: \`${command}\``);
  return [
    `## ${spec.name}`,
    spec.description,
    `\`\`\`text\n${usageOf(spec)}\n\`\`\``,
    ...(options.length === 0 ? [] : [table(['option', 'meaning', 'default'], options)]),
    examples.join('\n'),
  ].join('\n\n');
}

const cli = `${NOTE}
# The command line

stdout carries the result, stderr everything else. Piped tables are tab-separated. \`--json\` gives one document, whose
\`formatVersion\` rises when a field goes or changes its meaning; on failure
stdout stays empty and the last line of stderr is one JSON error (\`code\`, \`message\`, \`detail\`, \`hint\`, \`sqlState\`, \`file\`,
\`line\`, \`column\`). [json/](json) has the JSON Schema of each command's document. \`--quiet\`, \`--verbose\`, \`--no-color\`/\`NO_COLOR\` and \`--no-input\` work on every command.
With \`--quiet\` a command that changes something prints nothing unless there is a warning or an error.
On a terminal a result that is longer than it is shown by \`PAGER\` (\`less\`, with \`LESS=FRX\` where \`LESS\` is not set) when the command only reads;
\`PAGER=\` turns that off.

## Settings

A flag wins over the environment, the environment over \`.env\` in the current directory, and that over the default. A server
is also found by libpq's variables (\`PGHOST\`, \`PGPORT\`, \`PGUSER\`, \`PGDATABASE\`, \`PGSERVICE\` …) and \`~/.pgpass\`.

${settingsTable}

## Times

A number with its unit, everywhere: \`500ms\`, \`2s\`, \`5m\` (minutes), \`1h\`, \`30d\`, \`2w\`; ages also take \`6mo\` and \`3y\`, and
nothing shorter than a day. A bare number is refused.

## Findings

What a check or a preflight finds has the same six fields everywhere: \`id\`, \`severity\` (\`critical\`, \`warning\`, \`notice\`), \`object\`,
\`message\`, \`impact\`, \`fix\`. A fix is SQL for psql or one command, which runs when pasted; null where a person has to decide.

## Exit codes

${exitTable}

## All commands

${table(
  ['command', 'what it does'],
  COMMANDS.map(({ name, summary }) => row(`[\`aisec ${name}\`](#${name.replaceAll(' ', '-')})`, summary)),
)}

${COMMANDS.map(commandPart).join('\n\n')}
`;

const errors = `${NOTE}
# Errors

Every error has a code, which \`--json\` shows, and leads to an exit code.

${table(
  ['code', 'exit', 'when'],
  Object.entries(ERROR_TITLES).map(([code, title]) => row(`\`${code}\``, EXIT_CODE_BY_ERROR[code], title)),
)}
`;

const checkTable = table(
  ['check', 'area', 'severity', 'looks for', 'needs'],
  ALL_CHECKS.map(({ id, area, severity, title, grant }) =>
    row(`\`${id}\``, area, severity, title, grant === undefined ? '' : `\`${grant('SCHEMA', 'ROLE')}\``),
  ),
);

function withCheckTable(page) {
  return page.replace(/(<!-- checks -->\n)[\s\S]*?(\n<!-- \/checks -->)/, `$1\n${checkTable}\n$2`);
}

const thresholdTable = table(
  ['threshold', 'of', 'warning', 'critical'],
  Object.entries(THRESHOLDS).map(([name, { about, warning, critical }]) =>
    row(`\`${name}\``, about, formatThreshold(name, warning), formatThreshold(name, critical)),
  ),
);

function withThresholdTable(page) {
  return page.replace(/(<!-- thresholds -->\n)[\s\S]*?(<!-- \/thresholds -->)/, `$1\n${thresholdTable}\n\n$2`);
}

const sql = (text) => `\`\`\`sql\n${text}\n\`\`\``;

function rulePart({ id, severity, title, impact, isOptional, example }) {
  const off = isOptional ? ' Off unless `--rule` names it.' : '';
  return [
    `### ${id}`,
    `${title.charAt(0).toUpperCase()}${title.slice(1)}. Severity: ${severity}.${off}`,
    impact,
    ...(example.before === undefined ? [] : ['Before:', sql(example.before.replaceAll('; ', ';\n'))]),
    ...(example.server === undefined
      ? []
      : [
          `On a server with pgvector ${example.server.vectorVersion}, maintenance_work_mem = ${formatBytes(example.server.maintenanceBytes)} and ${example.rows.toLocaleString('en')} rows.`,
        ]),
    ...(example.theirs === undefined ? [] : ['In the other branch:', sql(example.theirs)]),
    'Bad:',
    sql(`${example.isBadOutside ? '-- aisec: no-transaction\n' : ''}${example.bad}`),
    'Good:',
    sql(`${example.isGoodOutside ? '-- aisec: no-transaction\n' : ''}${example.good}`),
  ].join('\n\n');
}

const rulesPart = Object.entries(RULES_BY_AREA)
  .map(([area, rules]) => [`## ${area}`, ...rules.map(rulePart)].join('\n\n'))
  .join('\n\n');

function withRules(page) {
  return page.replace(
    /(<!-- rules -->\n)[\s\S]*?(<!-- \/rules -->)/,
    (_match, start, end) => `${start}\n${rulesPart}\n\n${end}`,
  );
}

function withCommandTable(readme) {
  return readme.replace(/(<!-- commands -->\n)[\s\S]*?(\n<!-- \/commands -->)/, `$1\n${commandTable}\n$2`);
}

const settings = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).prettier;
const format = (text) => prettier.format(text, { ...settings, parser: 'markdown' });
const readmeFile = path.join(root, 'README.md');
const doctorFile = path.join(root, 'docs', 'doctor.md');
const monitoringFile = path.join(root, 'docs', 'monitoring.md');
const lintFile = path.join(root, 'docs', 'lint.md');
const wanted = {
  'docs/lint.md': await format(withRules(readFileSync(lintFile, 'utf8'))),
  'docs/cli.md': await format(cli),
  'docs/errors.md': await format(errors),
  'docs/doctor.md': await format(withCheckTable(readFileSync(doctorFile, 'utf8'))),
  'docs/monitoring.md': await format(withThresholdTable(readFileSync(monitoringFile, 'utf8'))),
  'README.md': await format(withCommandTable(readFileSync(readmeFile, 'utf8'))),
};
for (const [name, schema] of jsonSchemas(COMMANDS, JSON_FORMAT_VERSION))
  wanted[name] = await prettier.format(JSON.stringify(schema), { ...settings, parser: 'json' });

const isCheck = process.argv.includes('--check');
for (const [name, text] of Object.entries(wanted)) {
  const file = path.join(root, name);
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // Not there yet.
  }
  if (current === text) continue;
  if (isCheck) {
    process.stderr.write(`${name} is not up to date: run \`npm run docs\` and commit it\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`wrote ${name}\n`);
  }
}

import { AisecError } from '../../../../base/errors.js';
import type { LintResult } from '../../../../features/migrate/lint/lint.js';
import type { Rule } from '../../../../features/migrate/lint/rule.js';
import { defineCommand, type Context, type ExitCode } from '../../../command.js';
import { choiceOption, countOption, listOption } from '../../../options.js';
import { lintNow, type LintWishes } from './run.js';
import { renderLint, summary } from './render.js';

const FORMATS = ['text', 'json', 'sarif', 'github', 'gitlab'] as const;
type Format = (typeof FORMATS)[number];

interface Options extends LintWishes {
  readonly format: Format;
}

async function report(context: Context, format: Format, result: LintResult, rules: readonly Rule[]): Promise<void> {
  const { output } = context;
  if (format === 'sarif') {
    const { sarifLog } = await import('../../../../features/migrate/lint/formats/sarif.js');
    output.text(`${sarifLog(result, rules)}\n`);
  } else if (format === 'github') {
    const { githubAnnotations } = await import('../../../../features/migrate/lint/formats/github.js');
    if (result.findings.length > 0) output.text(`${githubAnnotations(result.findings)}\n`);
  } else if (format === 'gitlab') {
    const { gitlabReport } = await import('../../../../features/migrate/lint/formats/gitlab.js');
    output.text(`${gitlabReport(result.findings)}\n`);
  } else output.result(result, renderLint);
}

async function run(
  context: Context,
  options: Options,
  _argument: string,
  operands: readonly string[],
): Promise<ExitCode | undefined> {
  const { output } = context;
  if (output.options.isJson && options.format !== 'text' && options.format !== 'json')
    throw new AisecError('USAGE', `--json and --format ${options.format} cannot be used together`, {
      hint: 'Each of them is a format of its own.',
    });
  const { result, rules } = await lintNow(context, options, operands);
  if (options.format === 'json') output.asJson(result);
  else await report(context, options.format, result, rules);
  for (const line of summary(result)) output.note(line);
  return result.findings.some(({ severity }) => severity !== 'notice') ? 3 : undefined;
}

export const migrateLint = defineCommand<Options>({
  name: 'migrate lint',
  summary: 'find dangerous statements in migrations before they run',
  description:
    'Looks at Up sections with the rules of docs/lint.md: locks, lost data, holes in security. The files also run, on an embedded database in memory with the files before them, ' +
    'so that it is known which tables are new, and PostgreSQL itself says what locks, reads and rewrites. With a server configured: its pending migrations, with its version, ' +
    'partitions and sizes, read from the catalog only; else all files, or those that are named. Exits 3 on a finding that is critical or a warning. ' +
    'A comment above a statement ignores a rule: -- aisec-ignore RULE: reason',
  argument: { syntax: '[files...]', description: 'names or paths of migration files' },
  options: [
    {
      flags: '--format <format>',
      description: 'text, json, sarif, github (annotations) or gitlab (Code Quality)',
      default: 'text',
      parse: choiceOption(FORMATS, 'format', { expected: `, expected ${FORMATS.join(', ')}`, hint: 'See --help.' }),
      values: FORMATS,
    },
    { flags: '--rule <list>', description: 'only these rules, with commas', default: '', parse: listOption },
    { flags: '--exclude <list>', description: 'not these rules, with commas', default: '', parse: listOption },
    {
      flags: '--server-version <n>',
      description: 'the oldest major version that the files may meet (default: of the server, else 16)',
      parse: countOption(16),
    },
    {
      flags: '--against <branch>',
      description:
        'only the files that this branch of git does not have; both orders of its files and these are compared',
    },
    { flags: '--offline', description: 'do not connect, also where a server is configured' },
  ],
  examples: [
    ['aisec migrate lint', 'Look at the pending migrations, or at all of them without a server'],
    ['aisec migrate lint 0022_add_invoices', 'Look at one file'],
    ['aisec migrate lint --against origin/main', 'Look at what a branch adds, beside what was merged meanwhile'],
    ['aisec migrate lint --format github', 'Show the findings beside the lines of a pull request'],
    ['aisec migrate lint --format sarif > lint.sarif', 'For code scanning'],
    ['aisec migrate lint --exclude index-name,comment-missing', 'Without two rules'],
  ],
  isPaged: true,
  run,
});

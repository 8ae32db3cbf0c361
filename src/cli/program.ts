import { Command, CommanderError, Help, Option } from 'commander';

import { didYouMean } from '../base/did-you-mean.js';
import { AisecError, isAisecError } from '../base/errors.js';
import { aisecVersion } from '../base/package/version.js';
import { SETTINGS, type Flags, type Setting } from '../config/settings.js';
import { findCommand, helpHint, helpText } from './command-tree.js';
import type { CommandSpec } from './command.js';
import { COMMANDS, NOUNS } from './commands.js';
import { exitCodesText } from './exit-codes.js';

export interface GlobalOptions {
  readonly flags: Flags;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly allowsInput: boolean;
  /** Undefined unless --color or --no-color was given. */
  readonly color: boolean | undefined;
}

export interface Invocation {
  readonly spec: CommandSpec;
  readonly options: object;
  readonly argument: string;
  /** All of them, of a command that takes several. */
  readonly operands: readonly string[];
  readonly globals: GlobalOptions;
}

/** A command to run, or text that was asked for (`isError` false) or is shown for want of a command. */
export type Parsed =
  | { readonly kind: 'command'; readonly invocation: Invocation }
  | { readonly kind: 'text'; readonly text: string; readonly isError: boolean };

function settingOption(setting: Setting & { readonly flag: string }): Option {
  const suffix = setting.default === undefined ? '' : `, default: ${setting.default}`;
  const option = new Option(setting.flag, `${setting.description} (env: ${setting.env}${suffix})`);
  // An empty one stays empty, and is refused.
  if (setting.isRepeatable === true)
    option.argParser((text: string, before: unknown) =>
      typeof before === 'string' && before !== '' && text !== '' ? `${before},${text}` : text,
    );
  return option;
}

function addGlobalOptions(program: Command): void {
  for (const setting of Object.values<Setting>(SETTINGS)) {
    if (setting.flag !== undefined) program.addOption(settingOption({ ...setting, flag: setting.flag }));
  }
  program
    .option('--json', 'print one JSON document')
    .option('--quiet', 'print warnings and errors only; a report or list is printed as ever')
    .option('--verbose', 'print more on stderr')
    .option('--color', 'colour even without a terminal')
    .option('--no-color', 'no colour (env: NO_COLOR)')
    .option('--no-input', 'never ask; refuse instead')
    .version(aisecVersion(), '-V, --version', 'print the version');
}

function globalsOf(values: Readonly<Record<string, unknown>>): GlobalOptions {
  const flags = Object.keys(SETTINGS).filter((name) => typeof values[name] === 'string');
  return {
    flags: Object.fromEntries(flags.map((name) => [name, values[name]])) as Flags,
    isJson: values['json'] === true,
    isQuiet: values['quiet'] === true,
    isVerbose: values['verbose'] === true,
    allowsInput: values['input'] !== false,
    color: values['color'] as boolean | undefined,
  };
}

function examplesText(spec: CommandSpec): string {
  return `\nExamples:\n${spec.examples.map(([command, meaning]) => `  ${command}\n      ${meaning}`).join('\n')}`;
}

/** @throws AisecError USAGE, for `seed lst` with the nearest verb. */
function refuseExcess(command: Command, spec: CommandSpec): void {
  const [excess] = spec.argument === undefined ? command.args : [];
  if (excess === undefined) return;
  const verbs = command.commands.map((verb) => verb.name());
  const near = didYouMean(excess, verbs);
  throw new AisecError('USAGE', `unexpected argument "${excess}" for aisec ${spec.name}`, {
    hint: near === undefined ? `See: aisec ${spec.name} --help` : `Did you mean "aisec ${spec.name} ${near}"?`,
  });
}

const EMPTY_HINT = 'Is a shell variable not set?';

/** Says which option it was whose value could not be read. */
function parseOption(flags: string, parse: ((text: string) => unknown) | undefined, text: string): unknown {
  const name = flags.split(/[ ,]+/).find((part) => part.startsWith('--')) ?? flags;
  if (text === '') throw new AisecError('USAGE', `${name} is empty`, { hint: EMPTY_HINT });
  try {
    return parse === undefined ? text : parse(text);
  } catch (error) {
    if (!isAisecError(error, 'USAGE')) throw error;
    throw new AisecError('USAGE', `${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/**
 * `seed demo --dry-run`: an option that noun and verb both have goes to the noun, wherever it stands, since the root
 * takes its own options anywhere and leaves the rest, in whatever order, to the noun.
 *
 * @throws AisecError USAGE for an option of the noun that the verb does not have.
 */
function optionsTakenByNoun(command: Command, noun: Command, spec: CommandSpec): Readonly<Record<string, unknown>> {
  const taken: Record<string, unknown> = {};
  if (noun.parent === null) return taken;
  for (const option of noun.options) {
    const name = option.attributeName();
    if (noun.getOptionValueSource(name) !== 'cli') continue;
    if (!command.options.some((own) => own.attributeName() === name))
      throw new AisecError('USAGE', `unknown option "${option.long ?? name}" for aisec ${spec.name}`, {
        hint: `See: aisec ${spec.name} --help`,
      });
    taken[name] = noun.getOptionValue(name);
  }
  return taken;
}

function addCommand(parent: Command, spec: CommandSpec, onInvoke: (invocation: Invocation) => void): Command {
  const command = parent.command(spec.name.split(' ').at(-1) ?? spec.name);
  command.summary(spec.summary).description(spec.description).addHelpText('after', examplesText(spec));
  if (spec.argument !== undefined) command.argument(spec.argument.syntax, spec.argument.description);
  command.allowExcessArguments(spec.argument === undefined);
  for (const { flags, description, default: preset, parse, isRepeatable } of spec.options) {
    const option = new Option(flags, description);
    if (option.isBoolean() && !option.negate) option.default(false);
    if (preset !== undefined) option.default(parse === undefined ? preset : parse(preset), preset);
    if (!option.isBoolean())
      option.argParser((text: string, before: unknown) => {
        const value = parseOption(flags, parse, text);
        if (isRepeatable !== true) return value;
        const others: readonly unknown[] = Array.isArray(before) ? before : [];
        return [...others, value];
      });
    command.addOption(option);
  }
  command.action(() => {
    refuseExcess(command, spec);
    if (command.args.includes(''))
      throw new AisecError('USAGE', `an argument of aisec ${spec.name} is empty`, { hint: EMPTY_HINT });
    const globals = globalsOf(command.optsWithGlobals());
    const options = { ...command.opts(), ...optionsTakenByNoun(command, parent, spec) };
    onInvoke({ spec, options, argument: command.args[0] ?? '', operands: command.args, globals });
  });
  return command;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function visibleOptions({ options }: Command): Option[] {
  return options.filter(({ hidden }) => !hidden);
}

/**
 * The tree of commands. `sink` receives what commander would print; nothing is written and the process never exits.
 * With `argv`, only the nouns it names get their options and verbs, since building all of them costs every start.
 */
export function buildProgram(
  onInvoke: (invocation: Invocation) => void,
  sink: (text: string) => void = () => undefined,
  argv?: readonly string[],
): Command {
  const program = new Command('aisec');
  program
    .description('Database toolkit of the AI secretary platform: PostgreSQL 16+ with pgvector.')
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: 80,
      // Those of the root alone: `archive list` has no use for the options of `archive`.
      visibleGlobalOptions: (command) => (command.parent === null ? [] : visibleOptions(rootOf(command))),
      optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: (?:false|\[\])\)/, ''),
    })
    .configureOutput({ writeOut: sink, writeErr: sink, outputError: () => undefined })
    .exitOverride()
    .addHelpText(
      'after',
      '\nWithout DATABASE_URL (or PGHOST, PGSERVICE ...) the embedded database in .aisec\nis used. Exit codes: aisec help exit-codes',
    );
  addGlobalOptions(program);
  const nouns = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const [noun = '', verb] = spec.name.split(' ');
    if (argv !== undefined && !argv.includes(noun)) {
      if (!nouns.has(noun)) nouns.set(noun, program.command(noun).summary(NOUNS[noun] ?? spec.summary));
      continue;
    }
    if (verb === undefined) {
      // `seed` is a command and the parent of `seed list`; in COMMANDS it stands before its verbs.
      nouns.set(noun, addCommand(program, spec, onInvoke));
      continue;
    }
    const parent =
      nouns.get(noun) ??
      program
        .command(noun)
        .summary(NOUNS[noun] ?? '')
        .description(asSentence(NOUNS[noun] ?? noun))
        .helpCommand(false);
    nouns.set(noun, parent);
    addCommand(parent, spec, onInvoke);
  }
  return program;
}

/** `migrate status --check`: what is taken for an option is a verb of the same noun. */
function verbNamed(option: string | undefined, { parent }: Command): string | undefined {
  if (option === undefined || parent === null || parent.parent === null) return undefined;
  const verb = parent.commands.find((sibling) => `--${sibling.name()}` === option);
  return verb === undefined ? undefined : `Did you mean "aisec ${parent.name()} ${verb.name()}"?`;
}

function usageError(error: CommanderError, program: Command, argv: readonly string[]): AisecError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split(/\n(?=\(Did you mean)/);
  const [command] = findCommand(
    program,
    argv.filter((word) => !word.startsWith('-')),
  );
  const verb = verbNamed(/^unknown option '(--[\w-]+)'/.exec(message)?.[1], command);
  const hint = verb ?? suggestion?.replaceAll(/^\(|\)$/g, '').replace(/mean (\S+)\?/, 'mean "$1"?');
  return new AisecError('USAGE', message.replaceAll("'", '"'), { hint: hint ?? helpHint(command) });
}

/**
 * Reads the command line.
 *
 * @throws AisecError USAGE.
 */
export async function parseCommandLine(argv: readonly string[]): Promise<Parsed> {
  if (argv[0] === 'help') {
    const words = argv.slice(1).filter((word) => !word.startsWith('-'));
    if (words[0] === 'exit-codes') return { kind: 'text', text: exitCodesText(), isError: false };
    return {
      kind: 'text',
      text: helpText(
        buildProgram(
          () => undefined,
          () => undefined,
          words,
        ),
        words,
      ),
      isError: false,
    };
  }
  let invocation: Invocation | undefined;
  let text = '';
  const program = buildProgram(
    (found) => {
      invocation = found;
    },
    (chunk) => {
      text += chunk;
    },
    argv,
  );
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.help') return { kind: 'text', text, isError: argv.length > 0 };
    if (error.exitCode === 0) return { kind: 'text', text, isError: false };
    throw usageError(error, program, argv);
  }
  if (invocation === undefined) return { kind: 'text', text, isError: true };
  return { kind: 'command', invocation };
}

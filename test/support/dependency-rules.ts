import { spawnSync } from 'node:child_process';
import path from 'node:path';

export interface Violation {
  readonly rule: string;
  readonly from: string;
  /** The violation for people: which file imports what, and the rule in words. */
  readonly sentence: string;
}

/** The parts of dependency-cruiser's JSON that are read here. */
interface Report {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
}

const root = path.join(import.meta.dirname, '..', '..');
const program = path.join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const rules = path.join(root, '.config', 'dependency-cruiser.cjs');

/** Checks the src/ directory of a project against the layers. Throws when the tool itself fails. */
export function findViolations(projectRoot: string): readonly Violation[] {
  const args = [program, '--config', rules, '--output-type', 'json', 'src'];
  // Exits with the number of violations, so the exit code says nothing about its own health.
  const run = spawnSync(process.execPath, args, { cwd: projectRoot, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser failed: ${run.stderr}${run.stdout}`);

  const { violations, ruleSetUsed } = (JSON.parse(run.stdout) as Report).summary;
  const comments = new Map(ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
  return violations.map(({ from, to, rule, cycle }) => ({
    rule: rule.name,
    from,
    sentence: `${describeImport(from, to, cycle)}: ${comments.get(rule.name)} (${rule.name})`,
  }));
}

function describeImport(from: string, to: string, cycle: readonly { readonly name: string }[] = []): string {
  if (cycle.length > 0)
    return [from, ...cycle.map(({ name }) => name)]
      .join(' imports ')
      .replace(/(?<= imports \S+) imports/g, ', which imports');
  return from === to ? from : `${from} imports ${to}`;
}

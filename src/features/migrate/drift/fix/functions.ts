import type { CatalogFunction } from '../../../../adapters/catalog/catalog.js';
import { dollarQuoted, literal, name, searchPathOf, signature, type FixNames } from './names.js';

const SEARCH_PATH = 'search_path=';

function settingClause(setting: string, names: FixNames): string {
  if (setting.startsWith(SEARCH_PATH))
    return `  set search_path to ${searchPathOf(setting.slice(SEARCH_PATH.length), names)}`;
  const at = setting.indexOf('=');
  return `  set ${setting.slice(0, at)} to ${literal(setting.slice(at + 1))}`;
}

/** A body that the server has parsed prints as these; no text of an SQL function can begin so. */
function isParsedBody({ language, body }: CatalogFunction): boolean {
  return language === 'sql' && /^(?:RETURN |BEGIN ATOMIC)/.test(body);
}

function attributes(routine: CatalogFunction): readonly string[] {
  const { kind, volatility, parallel, strict, leakproof, securityDefiner, cost, rows } = routine;
  if (kind === 'procedure') return securityDefiner ? ['  security definer'] : [];
  return [
    `  ${volatility}`,
    ...(parallel === 'unsafe' ? [] : [`  parallel ${parallel}`]),
    ...(strict ? ['  strict'] : []),
    ...(leakproof ? ['  leakproof'] : []),
    ...(securityDefiner ? ['  security definer'] : []),
    ...(kind === 'window function' ? ['  window'] : []),
    `  cost ${cost}`,
    ...(rows > 0 ? [`  rows ${rows}`] : []),
  ];
}

/** Null for an aggregate or a function in C, which the snapshot does not have enough of. */
export function createFunction(routine: CatalogFunction, names: FixNames): readonly string[] | null {
  const { kind, result, language, configuration, body } = routine;
  if (kind === 'aggregate' || language === 'c' || language === 'internal') return null;
  const isParsed = isParsedBody(routine);
  const create = [
    `create or replace ${kind === 'procedure' ? 'procedure' : 'function'} ${name(routine.name)}(${routine.arguments})`,
    ...(result === null ? [] : [`  returns ${result}`]),
    `  language ${name(language)}`,
    ...attributes(routine),
    ...configuration.map((setting) => settingClause(setting, names)),
    isParsed ? body : `as ${dollarQuoted(body)}`,
  ].join('\n');
  // Its body may name tables that come later.
  const unchecked = language === 'sql' && !isParsed ? ['set check_function_bodies to off'] : [];
  const checked = unchecked.length === 0 ? [] : ['reset check_function_bodies'];
  return [...unchecked, create, ...checked];
}

export function routineWord({ kind }: CatalogFunction): string {
  return kind === 'procedure' ? 'procedure' : kind === 'aggregate' ? 'aggregate' : 'function';
}

export function dropFunction(routine: CatalogFunction): string {
  return `drop ${routineWord(routine)} ${signature(routine)}`;
}

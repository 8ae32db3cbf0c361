import { readCatalog } from '../../adapters/catalog/snapshot.js';
import type { Session } from '../../adapters/postgres/session.js';
import type * as Printer from '../../adapters/type-codegen/kysely-types.js';
import { AisecError } from '../../base/errors.js';
import { readShapes } from './shapes.js';

/** kysely-codegen and TypeScript 5 or 6 are for those who generate: not installed with the package. */
async function loadPrinter(): Promise<typeof Printer> {
  try {
    const typescript = (await import('typescript')) as { default?: { factory?: unknown } };
    if (typescript.default?.factory === undefined) throw new Error('this TypeScript has no compiler API');
    return await import('../../adapters/type-codegen/kysely-types.js');
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', 'kysely-codegen or TypeScript is not installed', {
      detail: 'Types are printed by kysely-codegen 0.20, which needs the compiler API of TypeScript 5 or 6.',
      hint: 'Run: npm install --save-dev kysely-codegen@0.20.0 typescript@6',
      cause: error,
    });
  }
}

/**
 * The text of the types of one schema, the same for the same schema. `importFrom` is the module of the column and jsonb
 * types: `aisec/schema`.
 *
 * @throws AisecError CONFIG_INVALID when kysely-codegen or TypeScript is missing, DATABASE_FAILED.
 */
export async function generateTypes(session: Session, schema: string, importFrom: string): Promise<string> {
  const { printKyselyTypes } = await loadPrinter();
  const relations = await readShapes(await readCatalog(session, { schema, withoutHistory: true }));
  return printKyselyTypes(session, schema, relations, importFrom);
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { exportedMetrics, metricsIn } from '../support/exported-metrics.js';

const root = path.join(import.meta.dirname, '..', '..');
const text = readFileSync(path.join(root, 'docs', 'grafana-dashboard.json'), 'utf8');

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const { panels } = JSON.parse(text) as { panels: readonly Panel[] };
const RAW = '@grafana/schema/dist/esm/raw/composable';

/** The document as a constant of Grafana's own types. JSON has no enums: their values stand for them. */
const program = (dashboard: string): string => `
import type { Dashboard, Panel, RowPanel } from '@grafana/schema';
import type { Options as StatOptions } from '${RAW}/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig, Options as TimeOptions } from '${RAW}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
type Json<T> = T extends string ? \`\${T}\` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Deep<T> = T extends object ? { [K in keyof T]?: Deep<T[K]> } : T;
type Of<Type extends string, Options, Custom> = Json<
  Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    type: Type;
    options: Deep<Options>;
    fieldConfig: Omit<NonNullable<Panel['fieldConfig']>, 'defaults'> & {
      defaults: Omit<NonNullable<Panel['fieldConfig']>['defaults'], 'custom'> & { custom?: Deep<Custom> };
    };
    targets: {
      refId: string;
      datasource: { type: 'prometheus'; uid: string };
      expr: string;
      legendFormat: string;
      editorMode: 'code' | 'builder';
      range: boolean;
    }[];
  }
>;
export const dashboard: Json<Omit<Dashboard, 'panels'>> & {
  panels: (Json<Omit<RowPanel, 'panels'>> & { panels: [] } | Of<'stat', StatOptions, {}> | Of<'timeseries', TimeOptions, FieldConfig>)[];
} = ${dashboard};
`;

describe('docs/grafana-dashboard.json', () => {
  // Beside the modules, so that the package of Grafana's types is found from there.
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(path.join(root, 'node_modules', '.aisec-grafana-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Of each, in one run of the compiler. */
  function typeErrors(dashboards: readonly string[]): readonly (readonly string[])[] {
    const files = dashboards.map((dashboard, number) => {
      const file = path.join(directory, `dashboard-${number}.ts`);
      writeFileSync(file, program(dashboard));
      return file;
    });
    const compiler = ts.createProgram(files, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      target: ts.ScriptTarget.ES2022,
    });
    const found = ts.getPreEmitDiagnostics(compiler);
    return files.map((name) =>
      found
        .filter(({ file }) => file?.fileName === name)
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    );
  }

  test('is a dashboard by the types of Grafana, which refuse one with a wrong field', () => {
    const [good, ...wrong] = typeErrors([
      text,
      text.replace('"colorMode": "value"', '"colorMode": "loud"'),
      text.replace('"schemaVersion": 39', '"schemaVersion": "39"'),
      text.replace('"mode": "absolute"', '"mode": "relative"'),
    ]);
    expect(good).toEqual([]);
    for (const errors of wrong) expect(errors).toHaveLength(1);
  });

  test('asks only for metrics that are exported', () => {
    const exported = exportedMetrics();
    const queries = panels.flatMap(({ targets }) => targets?.map(({ expr }) => expr) ?? []);
    expect(queries.length).toBeGreaterThan(30);
    for (const query of queries) expect(metricsIn(query)).not.toEqual([]);
    expect(queries.flatMap(metricsIn).filter((name) => !exported.has(name))).toEqual([]);
  });

  test('has no two panels with one number or in one place', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}:${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

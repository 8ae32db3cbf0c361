import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Severity } from '../../../../base/finding.js';
import { aisecVersion } from '../../../../base/package/version.js';
import type { LintResult } from '../lint.js';
import type { LintFinding } from '../lint-finding.js';
import type { Rule } from '../rule.js';
import { fingerprints } from './fingerprint.js';

const LEVEL: Readonly<Record<Severity, string>> = { critical: 'error', warning: 'warning', notice: 'note' };

function artifact(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  return { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}

function descriptor({ id, title, impact, severity, example }: Rule): object {
  const code = (sql: string): string => `\`\`\`sql\n${sql}\n\`\`\``;
  const markdown = `${impact}\n\nBad:\n\n${code(example.bad)}\n\nGood:\n\n${code(example.good)}`;
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: impact },
    help: { text: `${impact}\n\nBad:\n${example.bad}\n\nGood:\n${example.good}`, markdown },
    defaultConfiguration: { level: LEVEL[severity] },
    // No helpUri: SARIF wants an absolute URI there (3.49.12), and the pages have no public address.
    properties: { page: `docs/lint.md#${id}` },
  };
}

function resultOf(finding: LintFinding, fingerprint: string, rules: readonly Rule[], isIgnored: boolean): object {
  const { rule, severity, message, impact, fix, file, line, column, endLine, endColumn } = finding;
  const text = [`${message}.`, impact, ...(fix === null ? [] : [`Fix:\n${fix}`])].join('\n');
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: LEVEL[severity],
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifact(file),
          region: { startLine: line, startColumn: column, endLine, endColumn },
        },
      },
    ],
    partialFingerprints: { 'aisec/v1': fingerprint },
    ...(isIgnored && { suppressions: [{ kind: 'inSource' }] }),
  };
}

/** SARIF 2.1.0, as code scanning of GitHub and most editors read it. */
export function sarifLog({ findings, ignored, notAnalysed }: LintResult, rules: readonly Rule[]): string {
  const all = [...findings, ...ignored];
  const names = fingerprints(all);
  const notifications = notAnalysed.map(({ file, line, column, reason }) => ({
    level: 'note',
    message: { text: `not analysed: ${reason}` },
    locations: [
      { physicalLocation: { artifactLocation: artifact(file), region: { startLine: line, startColumn: column } } },
    ],
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'aisec migrate lint', version: aisecVersion(), rules: rules.map(descriptor) } },
        columnKind: 'unicodeCodePoints',
        invocations: [{ executionSuccessful: true, toolExecutionNotifications: notifications }],
        results: all.map((finding, index) => resultOf(finding, names[index] ?? '', rules, index >= findings.length)),
      },
    ],
  };
  return JSON.stringify(log, null, 2);
}

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const monitor = path.join(import.meta.dirname, '..', '..', 'src', 'features', 'monitor');

/** Every name that `monitor export --prometheus` may write; which of them come depends on the state of the server. */
export function exportedMetrics(): ReadonlySet<string> {
  const sources = ['export', 'live'].flatMap((directory) =>
    readdirSync(path.join(monitor, directory), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(monitor, directory, file), 'utf8')),
  );
  return new Set(sources.flatMap((source) => [...source.matchAll(/'(aisec_[a-z_]+)'/g)].map(([, name = '']) => name)));
}

/** The metrics of a query of Prometheus. */
export function metricsIn(query: string): readonly string[] {
  return query.match(/\baisec_[a-z_]+\b/g) ?? [];
}

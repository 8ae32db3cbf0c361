import { countText } from '../../../base/count.js';
import type { Finding } from '../../../base/finding.js';
import { html, type Html } from './html.js';
import type { ReportData } from './report-data.js';

function findingBox({ id, severity, message, impact, fix }: Finding): Html {
  return html`<article class="finding ${severity}">
    <h3><span class="badge">${severity}</span> ${message}</h3>
    <p>${impact}</p>
    ${fix !== null && html`<pre><code>${fix}</code></pre>`}
    <p class="id">${id}</p>
  </article>`;
}

function notices(findings: readonly Finding[]): Html {
  if (findings.length === 0) return html``;
  return html`<details>
    <summary>${countText(findings.length, 'notice')}, worth knowing</summary>
    ${findings.map(findingBox)}
  </details>`;
}

/** What is not as it should be, the worst first, with what fixes it; what can wait is folded away. */
export function findingsSection({ findings }: ReportData): Html {
  const pressing = findings.filter(({ severity }) => severity !== 'notice');
  return html`<section id="findings">
    <h2>What to do now</h2>
    ${pressing.length === 0 ? html`<p class="well">Nothing: the checks that could look found nothing to fix.</p>` : pressing.map(findingBox)}
    ${notices(findings.filter(({ severity }) => severity === 'notice'))}
  </section>`;
}

/** What could not be looked at is never the same as nothing found. */
export function skippedSection({ skipped }: ReportData): Html {
  if (skipped.length === 0) return html``;
  return html`<section id="skipped">
    <h2>Not looked at</h2>
    <ul>
      ${skipped.map(
        ({ object, message, fix }) =>
          html`<li>
            <strong>${object}</strong>:
            ${message}.${
              fix !== null &&
              html` To allow it:
                <pre><code>${fix}</code></pre>`
            }
          </li>`,
      )}
    </ul>
  </section>`;
}

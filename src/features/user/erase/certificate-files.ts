import path from 'node:path';

import { writeNamed } from '../../../adapters/files/write-named.js';
import type { ErasureCertificate } from './certificate.js';
import { certificatePage } from './certificate-page.js';

const OWNER_ONLY = 0o600;

/** Writes the certificate for programs and for people, under a name without personal data. Returns the files. */
export function writeCertificateFiles(certificate: ErasureCertificate, directory: string): readonly string[] {
  const base = path.join(directory, `erasure-${certificate.subjectHash.slice(0, 12)}`);
  writeNamed(`${base}.json`, `${JSON.stringify(certificate, null, 2)}\n`, { mode: OWNER_ONLY });
  writeNamed(`${base}.html`, certificatePage(certificate), { mode: OWNER_ONLY });
  return [`${base}.json`, `${base}.html`];
}

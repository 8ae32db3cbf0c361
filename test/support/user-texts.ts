import { readFileSync } from 'node:fs';
import path from 'node:path';

import ts from 'typescript';

export interface UserText {
  /** `src/cli/options.ts:12`. */
  readonly place: string;
  readonly file: string;
  readonly text: string;
}

/** What is written in quotes: messages, hints, help. One word alone is a name of something. */
export function sentencesOf(root: string, file: string): readonly UserText[] {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: UserText[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && node.text.includes(' ') && !ts.isImportDeclaration(node.parent)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ place: `${file}:${line + 1}`, file, text: node.text });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

/** A page, line by line. */
export function linesOf(root: string, file: string): readonly UserText[] {
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  return lines.map((text, index) => ({ place: `${file}:${index + 1}`, file, text }));
}

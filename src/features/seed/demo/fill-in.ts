import type { DemoTexts } from './texts/demo-texts.js';
import type { Random } from '../../../base/random.js';

/** What stays the same all through a conversation. */
export interface Subject {
  readonly person: string;
  readonly company: string;
  readonly project: string;
}

export function subjectOf(texts: DemoTexts, random: Random): Subject {
  return {
    person: texts.address(random.pick(texts.familyNames)[0]),
    company: random.pick(texts.companies),
    project: random.pick(texts.projects),
  };
}

function valueOf(slot: string, texts: DemoTexts, subject: Subject, random: Random): string {
  switch (slot) {
    case 'person':
      return subject.person;
    case 'company':
      return subject.company;
    case 'project':
      return subject.project;
    case 'place':
      return random.pick(texts.places);
    case 'day':
      return random.pick(texts.days);
    case 'time':
      return `${9 + random.below(9)}:${random.chance(0.5) ? '00' : '30'}`;
    case 'amount': {
      const amount = (1 + random.below(60)) * (texts.currency === '円' ? 1000 : 10);
      return texts.currency === '円' ? `${amount.toLocaleString('en')}円` : `${texts.currency} ${amount}`;
    }
    case 'count':
      return String(2 + random.below(40));
    default:
      throw new Error(`a text has the unknown slot {${slot}}`);
  }
}

const parts = new Map<string, readonly string[]>();

/** Odd items of the parts are slots. Split once: millions of messages come from a few dozen texts. */
function partsOf(text: string): readonly string[] {
  let found = parts.get(text);
  if (found === undefined) {
    found = text.split(/\{([a-z]+)\}/);
    parts.set(text, found);
  }
  return found;
}

/** Puts words into the slots of a text. */
export function fillIn(text: string, texts: DemoTexts, subject: Subject, random: Random): string {
  let filled = '';
  for (const [index, part] of partsOf(text).entries())
    filled += index % 2 === 0 ? part : valueOf(part, texts, subject, random);
  return filled;
}

import { assistantsOf, joinedMs, timestamp, type DemoPlan } from './plan.js';
import { numberedRows, type DemoTable } from './table.js';

/** Reserved for examples (RFC 2606): mail to it goes nowhere. Demo users are known by it. */
const DEMO_MAIL_DOMAIN = 'demo.example.com';

function userTable(plan: DemoPlan, passwordHash: string): DemoTable {
  const { texts, options, window } = plan;
  const tag = plan.id('tag', 0).slice(0, 4);
  return {
    table: 'users',
    columns: [
      'id',
      'username',
      'email',
      'password_hash',
      'first_name',
      'last_name',
      'is_active',
      'is_verified',
      'last_login_at',
      'created_at',
      'updated_at',
    ],
    count: options.users,
    rows: () =>
      numberedRows(options.users, (index) => {
        const random = plan.random('user', index);
        const [given, givenLatin] = random.pick(texts.givenNames);
        const [family, familyLatin] = random.pick(texts.familyNames);
        // The tag keeps the users of two seeds apart.
        const username = `${givenLatin}.${familyLatin}.${tag}${index + 1}`;
        const created = joinedMs(plan, index);
        const login = random.chance(0.95) ? timestamp(random.between(created, window.untilMs)) : null;
        return [
          plan.id('users', index),
          username,
          `${username}@${DEMO_MAIL_DOMAIN}`,
          passwordHash,
          given,
          family,
          random.chance(0.95),
          random.chance(0.9),
          login,
          timestamp(created),
          timestamp(created),
        ];
      }),
  };
}

function preferenceTable(plan: DemoPlan): DemoTable {
  const { texts, options } = plan;
  return {
    table: 'user_preferences',
    columns: [
      'user_id',
      'theme',
      'language',
      'timezone',
      'notification_settings',
      'privacy_settings',
      'default_assistant_id',
      'created_at',
      'updated_at',
    ],
    count: options.users,
    rows: () =>
      numberedRows(options.users, (index) => {
        const random = plan.random('preferences', index);
        const created = timestamp(joinedMs(plan, index));
        return [
          plan.id('users', index),
          random.pick(['light', 'dark', 'system']),
          texts.language.slice(0, 2),
          texts.timeZone,
          JSON.stringify({ email: random.chance(0.7), push: random.chance(0.5) }),
          JSON.stringify({ keepHistory: random.chance(0.9), shareUsage: random.chance(0.3) }),
          plan.id('assistants', assistantsOf(index).first),
          created,
          created,
        ];
      }),
  };
}

/** Users and their preferences; these refer to assistants and come later. */
export function peopleTables(
  plan: DemoPlan,
  passwordHash: string,
): { readonly users: DemoTable; readonly preferences: DemoTable } {
  return { users: userTable(plan, passwordHash), preferences: preferenceTable(plan) };
}

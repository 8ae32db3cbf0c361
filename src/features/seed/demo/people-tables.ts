import { assistantsOf, joinedMs, timestamp, type DemoPlan } from './plan.js';
import { demoTable, numberedRows, type DemoRow, type DemoTable } from './table.js';

/** Reserved for examples (RFC 2606): mail to it goes nowhere. Demo users are known by it. */
const DEMO_MAIL_DOMAIN = 'demo.example.com';

function userTable(plan: DemoPlan, passwordHash: string): DemoTable {
  const { texts, options, window } = plan;
  const tag = plan.id('tag', 0).slice(0, 4);
  return demoTable({
    table: 'users',
    count: options.users,
    rows: () =>
      numberedRows(options.users, (index): DemoRow<'users'> => {
        const random = plan.random('user', index);
        const [given, givenLatin] = random.pick(texts.givenNames);
        const [family, familyLatin] = random.pick(texts.familyNames);
        // The tag keeps the users of two seeds apart.
        const username = `${givenLatin}.${familyLatin}.${tag}${index + 1}`;
        const created = joinedMs(plan, index);
        const login = random.chance(0.95) ? timestamp(random.between(created, window.untilMs)) : null;
        return {
          id: plan.id('users', index),
          username,
          email: `${username}@${DEMO_MAIL_DOMAIN}`,
          password_hash: passwordHash,
          first_name: given,
          last_name: family,
          is_active: random.chance(0.95),
          is_verified: random.chance(0.9),
          last_login_at: login,
          created_at: timestamp(created),
          updated_at: timestamp(created),
        };
      }),
  });
}

function preferenceTable(plan: DemoPlan): DemoTable {
  const { texts, options } = plan;
  return demoTable({
    table: 'user_preferences',
    count: options.users,
    rows: () =>
      numberedRows(options.users, (index): DemoRow<'user_preferences'> => {
        const random = plan.random('preferences', index);
        const created = timestamp(joinedMs(plan, index));
        return {
          user_id: plan.id('users', index),
          theme: random.pick(['light', 'dark', 'system']),
          language: texts.language.slice(0, 2),
          timezone: texts.timeZone,
          notification_settings: JSON.stringify({ email: random.chance(0.7), push: random.chance(0.5) }),
          privacy_settings: JSON.stringify({ keepHistory: random.chance(0.9), shareUsage: random.chance(0.3) }),
          default_assistant_id: plan.id('assistants', assistantsOf(index).first),
          created_at: created,
          updated_at: created,
        };
      }),
  });
}

/** Users and their preferences; these refer to assistants and come later. */
export function peopleTables(
  plan: DemoPlan,
  passwordHash: string,
): { readonly users: DemoTable; readonly preferences: DemoTable } {
  return { users: userTable(plan, passwordHash), preferences: preferenceTable(plan) };
}

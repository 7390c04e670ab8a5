// End-to-end tests from the user's point of view: browser, portal, provider, gateway and database. All scenarios share
// one set of servers and run one after the other, in this order.

import './scenarios/sign-in.mjs';
import './scenarios/tenants.mjs';
import './scenarios/edit-form.mjs';
import './scenarios/navigation.mjs';
import './scenarios/members.mjs';
import './scenarios/live.mjs';
import './scenarios/invitations.mjs';
import './scenarios/audit-log.mjs';
import './scenarios/platform.mjs';
import './scenarios/languages.mjs';
import './scenarios/layout.mjs';
import './scenarios/accessibility.mjs';
import './scenarios/keyboard.mjs';
import './scenarios/failures.mjs';

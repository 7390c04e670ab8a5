//! The table itself: data, and nothing that runs. A row is something that can be asked, with the
//! answer of each caller in the contract's words.
//!
//! Placeholders stand for things of the small world that each case has of its own
//! ([`world`](super::world)): `$TENANT`, `$SLUG`, `$SUBSCRIPTION`, `$EVENT`; `$MEMBER`, `$ADMIN` and
//! `$OWNER`, who have that role in the tenant; `$CALLER`, who asks; `$PEER`, who is no member and
//! shares another tenant with the caller; `$STRANGER`, who shares no tenant with the caller, and
//! `$FOREIGN`, what that one did here once; `$HIDDEN`, a tenant that only platform admins see;
//! `$NO_TENANT`, `$NO_USER`, `$NO_SUBSCRIPTION` and `$NO_EVENT`, which do not exist; `$N`, a number
//! that no other case has.

mod reads;
mod writes;

use Outcome::{Code, Forbidden, LeftOut, No, Null, Yes};

/// Who asks. Everybody with a place has it in the tenant that is asked about, and owns another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Without a token.
    Anonymous,
    /// With a token, but without a user.
    Newcomer,
    /// Disabled: an owner who runs the platform, too.
    Disabled,
    /// An owner of another tenant.
    Outsider,
    /// A member.
    Member,
    /// An admin.
    Admin,
    /// An owner.
    Owner,
    /// One who runs the platform, and is no member of any tenant.
    Platform,
}

impl Caller {
    /// All, in the order of the table.
    pub(super) const ALL: [Self; 8] = [
        Self::Anonymous,
        Self::Newcomer,
        Self::Disabled,
        Self::Outsider,
        Self::Member,
        Self::Admin,
        Self::Owner,
        Self::Platform,
    ];

    /// How the printed table calls them.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Newcomer => "token, no user yet",
            Self::Disabled => "disabled user",
            Self::Outsider => "not in that tenant",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
            Self::Owner => "OWNER",
            Self::Platform => "platform admin",
        }
    }
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is shown, or done.
    Yes,
    /// An error with this code, and nothing else.
    Code(&'static str),
    /// `null` without an error: as if it did not exist.
    Null,
    /// `null` at that field with a `FORBIDDEN` beside it, and everything around it whole.
    Forbidden,
    /// Not among what is shown.
    LeftOut,
    /// There is nothing to ask it of: the thing itself is `null`.
    No,
}

impl Outcome {
    /// As it is printed.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Yes => "✓",
            Code(code) => code,
            Null => "null",
            Forbidden => "null + FORBIDDEN",
            LeftOut => "left out",
            No => "–",
        }
    }
}

/// The tenant that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// ACTIVE, like most.
    Active,
    /// PENDING.
    Pending,
    /// SUSPENDED.
    Suspended,
    /// ARCHIVED.
    Archived,
    /// ACTIVE, without an owner besides the caller: `$OWNER` does not exist.
    Ownerless,
    /// The default tenant, which all cases of such rows share.
    Default,
}

/// A mutation and what it answers.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its name.
    pub(super) name: &'static str,
    /// The fields of its payload, and what is selected of them.
    pub(super) payload: &'static [(&'static str, &'static str)],
    /// What the history calls it.
    pub(super) action: &'static str,
    /// By how much it changes the numbers of tenants, users and subscriptions.
    pub(super) counts: [i64; 3],
    /// Whether it is for platform admins alone: everybody else is refused before any look-up.
    pub(super) platform_only: bool,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Ask {
    /// A read.
    Read {
        /// The schema's coordinates that it is about. Where `{0}` stands in the document, it is asked
        /// once for each of them, with the field's name there.
        covers: &'static [&'static str],
        /// What is selected.
        document: &'static str,
        /// Where the answer is looked for in `data`.
        at: &'static str,
        /// What a shown answer has in its text; what is left out has not.
        finds: &'static str,
    },
    /// A mutation.
    Write {
        /// Which.
        operation: Operation,
        /// Its input: JSON, in which a placeholder is a part of a string.
        input: &'static str,
    },
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Row {
    /// What is done, in words.
    pub(super) what: &'static str,
    /// Where.
    pub(super) place: Place,
    /// What is asked.
    pub(super) ask: Ask,
    /// What each caller gets, in the order of [`Caller::ALL`].
    pub(super) expected: [Outcome; 8],
}

impl Row {
    /// The coordinates of the schema that the row is about.
    pub(super) fn covers(&self) -> Vec<String> {
        match &self.ask {
            Ask::Read { covers, .. } => covers.iter().map(|&c| c.to_owned()).collect(),
            Ask::Write { operation, .. } => {
                let name = operation.name;
                let payload = format!("{}{}Payload", name[..1].to_uppercase(), &name[1..]);
                let fields =
                    operation.payload.iter().map(|(field, _)| format!("{payload}.{field}"));
                std::iter::once(format!("Mutation.{name}")).chain(fields).collect()
            }
        }
    }

    /// What a caller gets.
    pub(super) fn expects(&self, caller: Caller) -> Outcome {
        self.expected[caller as usize]
    }
}

/// Some rows under a heading.
#[derive(Debug)]
pub(super) struct Section {
    /// The heading.
    pub(super) title: &'static str,
    /// The rows.
    pub(super) rows: Vec<Row>,
}

/// What everybody gets who is not there yet, or not any more.
pub(super) const NOBODY: [Outcome; 3] =
    [Code("UNAUTHENTICATED"), Code("USER_NOT_PROVISIONED"), Code("USER_DISABLED")];

const FORBIDDEN: Outcome = Code("FORBIDDEN");
const NOT_FOUND: Outcome = Code("NOT_FOUND");
const SUSPENDED: Outcome = Code("TENANT_SUSPENDED");
const CONFLICT: Outcome = Code("CONFLICT");

// Outsider, MEMBER, ADMIN, OWNER, platform admin.
const EVERYBODY: [Outcome; 5] = [Yes; 5];
const WHO_SEES_THE_TENANT: [Outcome; 5] = [Null, Yes, Yes, Yes, Yes];
const IN_LISTS: [Outcome; 5] = [LeftOut, Yes, Yes, Yes, Yes];
const FIELD_OF_WHAT_IS_SEEN: [Outcome; 5] = [No, Yes, Yes, Yes, Yes];
const FIELD_FOR_ADMINS: [Outcome; 5] = [No, Forbidden, Yes, Yes, Yes];
const FIELD_FOR_PLATFORM: [Outcome; 5] = [No, Forbidden, Forbidden, Forbidden, Yes];
const FIELD_OF_STRANGERS: [Outcome; 5] = [No, No, No, No, Yes];
const PLATFORM_ALONE: [Outcome; 5] = [FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, Yes];
const PLATFORM_ABSENT: [Outcome; 5] = [FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, NOT_FOUND];
const NOBODY_AT_ALL: [Outcome; 5] = [FORBIDDEN; 5];
const ADMINS: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, Yes, Yes, Yes];
const OWNERS: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, FORBIDDEN, Yes, Yes];
const PLATFORM_IN_TENANT: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, FORBIDDEN, FORBIDDEN, Yes];
const NOT_THERE: [Outcome; 5] = [NOT_FOUND; 5];
const ADMINS_WHEN_CLOSED: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, SUSPENDED, SUSPENDED, Yes];
const OWNERS_WHEN_CLOSED: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, FORBIDDEN, SUSPENDED, Yes];

fn row(what: &'static str, place: Place, ask: Ask, expected: [Outcome; 5]) -> Row {
    let mut all = [Yes; 8];
    all[..3].copy_from_slice(&NOBODY);
    all[3..].copy_from_slice(&expected);
    Row { what, place, ask, expected: all }
}

fn read(
    what: &'static str,
    covers: &'static [&'static str],
    document: &'static str,
    at: &'static str,
    expected: [Outcome; 5],
) -> Row {
    row(what, Place::Active, Ask::Read { covers, document, at, finds: "" }, expected)
}

/// A list, or anything else that is shown without some part.
fn list(
    what: &'static str,
    covers: &'static [&'static str],
    (document, at): (&'static str, &'static str),
    finds: &'static str,
    expected: [Outcome; 5],
) -> Row {
    row(what, Place::Active, Ask::Read { covers, document, at, finds }, expected)
}

fn write(
    what: &'static str,
    operation: Operation,
    input: &'static str,
    expected: [Outcome; 5],
) -> Row {
    row(what, Place::Active, Ask::Write { operation, input }, expected)
}

impl Row {
    const fn of(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// The whole table.
pub(super) fn sections() -> Vec<Section> {
    let section = |title, rows| Section { title, rows };
    vec![
        section("Queries", reads::queries()),
        section("Fields of a tenant", reads::tenant_fields()),
        section("Fields of a subscription", reads::subscription_fields()),
        section("Fields of a user", reads::user_fields()),
        section("Fields of an event", reads::event_fields()),
        section("Tenants", writes::tenants()),
        section("Users", writes::users()),
        section("Subscriptions", writes::subscriptions()),
        section("Members", writes::members()),
        section("In a tenant that is suspended or archived", writes::closed()),
    ]
}

/// All rows.
pub(super) fn rows() -> Vec<Row> {
    sections().into_iter().flat_map(|section| section.rows).collect()
}

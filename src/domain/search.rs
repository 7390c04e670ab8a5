//! Search: the keys under which tenants and users are found, and the prefix that a search matches.
//!
//! A search matches a key that starts with its text, after full Unicode case folding of both. It
//! folds nothing else: accents count, white space counts, and no normal form is applied. So text in
//! NFC does not match the same text in NFD.
//!
//! A list in the order of the matched key contains an element once, at the smallest of its keys
//! that match. [`SearchKey::shared`] decides this for each key alone. So a store can read the
//! matches from an index, in order, without a look at the other keys of the element.

use super::{
    tenant::Tenant,
    text::{case_fold, domain_to_unicode},
    user::User,
};

/// The maximum number of matches of a search that a store sorts.
pub const MAX_SORTED_MATCHES: usize = 10_000;

/// The greatest [`SearchKey::class`]. A store reads the keys of each class from a range of its own,
/// so that a search reads at most one more range than this.
pub const MAX_CLASS: usize = 16;

/// A folded text under which a tenant or a user is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchKey {
    /// The folded text.
    pub text: String,
    /// The number of characters that the key shares, at its start, with a smaller key of the same
    /// element. A prefix of at most this length matches the smaller key, too.
    pub shared: usize,
}

impl SearchKey {
    /// Returns [`shared`](Self::shared), but at most [`MAX_CLASS`].
    #[must_use]
    pub fn class(&self) -> usize {
        self.shared.min(MAX_CLASS)
    }
}

/// Returns the keys of a tenant: its slug, its name, and its domains in ASCII and in Unicode.
#[must_use]
pub fn tenant_keys(tenant: &Tenant) -> Vec<SearchKey> {
    keys_of_tenant(
        Some(&tenant.slug),
        Some(&tenant.name),
        tenant.domains.iter().map(String::as_str),
    )
}

/// Returns the keys of a tenant with these parts, as [`tenant_keys`] does.
pub fn keys_of_tenant<'a>(
    slug: Option<&str>,
    name: Option<&str>,
    domains: impl IntoIterator<Item = &'a str>,
) -> Vec<SearchKey> {
    let names = [slug, name].into_iter().flatten().map(case_fold);
    let domains = domains
        .into_iter()
        .flat_map(|domain| [case_fold(domain), case_fold(&domain_to_unicode(domain))]);
    search_keys(names.chain(domains))
}

/// Returns the keys of a user: the name and the e-mail address.
#[must_use]
pub fn user_keys(user: &User) -> Vec<SearchKey> {
    keys_of_user(Some(&user.name), user.email.as_deref())
}

/// Returns the keys of a user with these parts, as [`user_keys`] does.
#[must_use]
pub fn keys_of_user(name: Option<&str>, email: Option<&str>) -> Vec<SearchKey> {
    search_keys([name, email].into_iter().flatten().map(case_fold))
}

/// Returns the distinct keys in ascending order.
fn search_keys(folded: impl Iterator<Item = String>) -> Vec<SearchKey> {
    let mut texts: Vec<String> = folded.collect();
    texts.sort_unstable();
    texts.dedup();
    let mut keys: Vec<SearchKey> = Vec::with_capacity(texts.len());
    for text in texts {
        // Of all smaller keys, the preceding one has the longest common start.
        let shared = keys.last().map_or(0, |smaller| common_start(&smaller.text, &text));
        keys.push(SearchKey { text, shared });
    }
    keys
}

fn common_start(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// The folded text of a search. Keys that start with it match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPrefix {
    folded: String,
    length: usize,
}

impl SearchPrefix {
    /// Folds the text of a search.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let folded = case_fold(text);
        let length = folded.chars().count();
        Self { folded, length }
    }

    /// Returns the folded text, the least key that matches.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// Returns the least text above all keys that match, or `None` if there is none.
    #[must_use]
    pub fn upper_bound(&self) -> Option<String> {
        let mut bound = self.folded.clone();
        while let Some(last) = bound.pop() {
            if let Some(next) = next_char(last) {
                bound.push(next);
                return Some(bound);
            }
        }
        None
    }

    /// Returns the number of characters. Of the matching keys of an element, the smallest is the
    /// only one whose [`shared`](SearchKey::shared) is less than this.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Returns the classes of the keys that can be the smallest match of their element.
    pub fn classes(&self) -> impl Iterator<Item = usize> + use<> {
        0..self.length.min(MAX_CLASS + 1)
    }

    /// Returns whether the class of a key does not decide whether it is the smallest match.
    #[must_use]
    pub const fn exceeds_classes(&self) -> bool {
        self.length > MAX_CLASS
    }

    /// Returns the smallest key that matches.
    #[must_use]
    pub fn first_match<'a>(&self, keys: &'a [SearchKey]) -> Option<&'a SearchKey> {
        keys.iter().find(|key| key.text.starts_with(&self.folded))
    }
}

/// Returns the next character in the order of code points, which is the byte order of UTF-8.
fn next_char(c: char) -> Option<char> {
    match c {
        '\u{d7ff}' => Some('\u{e000}'),
        c => char::from_u32(u32::from(c) + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_match_is_the_only_one_with_few_shared_characters() {
        let keys = keys_of_tenant(
            Some("acme"),
            Some("Acme Ltd"),
            ["acme.example", "b.example", "xn--bcher-kva.example"],
        );
        for text in ["a", "ACME", "acme ", "acme.", "b", "bü", "xn--", "z", "acme.example"] {
            let prefix = SearchPrefix::new(text);
            let matching = keys.iter().filter(|key| key.text.starts_with(prefix.as_str()));
            let smallest: Vec<_> = matching.filter(|key| key.shared < prefix.length()).collect();
            assert_eq!(
                smallest,
                prefix.first_match(&keys).into_iter().collect::<Vec<_>>(),
                "{text}"
            );
        }
    }

    #[test]
    fn bounds_include_exactly_the_texts_with_the_prefix() {
        for (text, upper) in [
            ("ab", Some("ac")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(SearchPrefix::new(text).upper_bound().as_deref(), upper, "{text:?}");
        }
    }

    #[test]
    fn folding_ignores_case_and_nothing_else() {
        for (a, b) in [
            ("straße", "STRASSE"),
            ("straẞe", "STRASSE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("İ", "i\u{307}"),
            ("ﬁ", "FI"),
        ] {
            assert_eq!(case_fold(a), case_fold(b), "{a} {b}");
        }
        for (a, b) in [("josé", "jose"), ("ı", "i"), ("İ", "i"), ("é", "e\u{301}"), ("a ", "a")]
        {
            assert_ne!(case_fold(a), case_fold(b), "{a} {b}");
        }
    }
}

//! Assigns unique slugs in lower case.

use std::collections::{HashMap, HashSet};

use crate::domain::{id::ObjectId, time::Timestamp};

/// The maximum length of a slug.
const MAX_LENGTH: usize = 63;

/// The stored slug of a tenant.
#[derive(Clone, Debug)]
pub struct SlugClaim {
    /// The identifier of the tenant.
    pub tenant: ObjectId,
    /// The time of the tenant's creation. The older tenant keeps its slug.
    pub created_at: Timestamp,
    /// The slug as it is stored.
    pub slug: String,
    /// `true` if the document cannot be converted. Its slug stays, unless another such document has
    /// the same one.
    pub is_left: bool,
}

/// A slug that differs from the stored one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedSlug {
    /// The new slug.
    pub slug: String,
    /// `true` if it has a number, because another tenant has the slug without one.
    pub is_numbered: bool,
}

/// Returns the new slug of each tenant whose slug changes.
///
/// A slug is folded to lower case. Of tenants with the same slug, the oldest keeps it. The others get
/// `-2`, `-3` and so on. The result does not depend on the order of the claims. It stays the same if
/// only a part of it was stored before.
#[must_use]
pub fn assign_slugs(mut claims: Vec<SlugClaim>) -> HashMap<ObjectId, AssignedSlug> {
    claims.sort_by_key(|claim| (claim.created_at, claim.tenant));
    let mut taken = HashSet::new();
    let mut assigned = HashMap::new();
    let mut losers = Vec::new();
    // Documents that stay as they are come first, because no other slug may equal theirs.
    let (left, convertible): (Vec<_>, Vec<_>) = claims.into_iter().partition(|c| c.is_left);
    for claim in left {
        if !taken.insert(claim.slug.clone()) {
            losers.push(claim);
        }
    }
    for claim in convertible {
        let folded = fold(&claim.slug);
        if !taken.insert(folded.clone()) {
            losers.push(claim);
        } else if folded != claim.slug {
            assigned.insert(claim.tenant, AssignedSlug { slug: folded, is_numbered: false });
        }
    }
    for claim in losers {
        let folded = fold(&claim.slug);
        let free = (2_u64..).map(|n| numbered(&folded, n)).find(|slug| !taken.contains(slug));
        if let Some(slug) = free {
            taken.insert(slug.clone());
            assigned.insert(claim.tenant, AssignedSlug { slug, is_numbered: true });
        }
    }
    assigned
}

fn fold(slug: &str) -> String {
    slug.trim().to_lowercase()
}

/// Appends a number to a slug, and shortens the slug if necessary.
fn numbered(slug: &str, n: u64) -> String {
    let suffix = format!("-{n}");
    let mut end = slug.len().min(MAX_LENGTH - suffix.len());
    while !slug.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", slug[..end].trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ObjectId {
        ObjectId([n; 12])
    }

    /// Claims by tenants of ascending age: the first is the oldest.
    fn claims(slugs: &[&str]) -> Vec<SlugClaim> {
        let claim = |(n, slug): (i64, &&str)| SlugClaim {
            tenant: id(n as u8),
            created_at: Timestamp::from_seconds(n).expect("in range"),
            slug: (*slug).to_owned(),
            is_left: false,
        };
        (1..).zip(slugs).map(claim).collect()
    }

    /// Returns all slugs after an assignment.
    fn slugs(claims: &[SlugClaim]) -> Vec<String> {
        let assigned = assign_slugs(claims.to_vec());
        let slug = |c: &SlugClaim| assigned.get(&c.tenant).map_or(&c.slug, |a| &a.slug).clone();
        claims.iter().map(slug).collect()
    }

    #[test]
    fn oldest_tenant_keeps_the_slug_and_others_are_numbered() {
        for (stored, expected) in [
            (vec!["acme", "dezky"], vec!["acme", "dezky"]),
            (vec!["Acme", "acme", "ACME"], vec!["acme", "acme-2", "acme-3"]),
            (vec!["Acme", "acme", "acme-2"], vec!["acme", "acme-3", "acme-2"]),
            (
                vec!["acme", "Acme", "ACME-2", "acme-2"],
                vec!["acme", "acme-3", "acme-2", "acme-2-2"],
            ),
            (vec![" Straße "], vec!["straße"]),
        ] {
            assert_eq!(slugs(&claims(&stored)), expected, "{stored:?}");
        }
        let mut by_identifier = claims(&["acme", "Acme"]);
        by_identifier[0].created_at = by_identifier[1].created_at;
        by_identifier.reverse();
        assert_eq!(slugs(&by_identifier), ["acme-2", "acme"]);
        let long = "a".repeat(63);
        let shortened = format!("{}-2", "a".repeat(61));
        assert_eq!(slugs(&claims(&[&long, &long.to_uppercase()])), [long, shortened]);
    }

    #[test]
    fn slug_of_a_document_that_is_left_stays() {
        let mut all = claims(&["ACME", "acme", "Acme", "Acme"]);
        for n in [1, 2, 3] {
            all[n].is_left = true;
        }
        assert_eq!(slugs(&all), ["acme-3", "acme", "Acme", "acme-2"]);
    }

    /// An interrupted run has stored any part of the assignment.
    #[test]
    fn partly_stored_assignment_leads_to_the_same_end() {
        let all = claims(&["ACME", "Acme", "acme", "acme-2", "Acme-3", "b", "B"]);
        let expected = slugs(&all);
        let assigned = assign_slugs(all.clone());
        for stored in 0_u32..1 << all.len() {
            let mut partly = all.clone();
            for (n, claim) in partly.iter_mut().enumerate() {
                if let Some(slug) = assigned.get(&claim.tenant).filter(|_| stored & (1 << n) != 0) {
                    claim.slug.clone_from(&slug.slug);
                }
            }
            assert_eq!(slugs(&partly), expected, "{partly:?}");
        }
    }
}

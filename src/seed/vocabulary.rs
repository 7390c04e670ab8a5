//! The names, addresses and legal forms from which demo tenants are composed.
//!
//! The order of each list is part of the demo data: a change would change all demo tenants.

/// The first names of the users.
pub(super) const FIRST_NAMES: [&str; 4] = ["Ada", "Bob", "Carol", "Mallory"];
/// The first words of company names.
pub(super) const FIRST_WORDS: [&str; 16] = [
    "Amber", "Birch", "Cedar", "Copper", "Delta", "Eastern", "Fjord", "Granite", "Harbour", "Île",
    "Juniper", "Lakeside", "Maple", "Northern", "Öresund", "River",
];
/// The second words of company names.
pub(super) const TRADES: [&str; 16] = [
    "Bakery",
    "Books",
    "Brewing",
    "Catering",
    "Cycles",
    "Design",
    "Energy",
    "Foods",
    "Gardens",
    "Glass",
    "Instruments",
    "Joinery",
    "Logistics",
    "Optics",
    "Printing",
    "Textiles",
];

/// The country-specific parts of a company's address, legal form and VAT number.
pub(super) struct CompanyLocale {
    pub(super) legal_form: &'static str,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) country: &'static str,
    /// The prefix and the number of digits of a VAT number. The digits are the tenant's number,
    /// padded with zeros, so they belong to no real company.
    pub(super) vat: Option<(&'static str, usize)>,
}

/// The locales of companies.
pub(super) const LOCALES: [CompanyLocale; 5] = [
    locale("GmbH", "Hauptstraße", "Berlin", "10115", "DE", Some(("DE", 9))),
    locale("GmbH", "Ringstraße", "Wien", "1010", "AT", Some(("ATU", 8))),
    locale("ApS", "Havnegade", "København", "1058", "DK", Some(("DK", 8))),
    locale("B.V.", "Kerkstraat", "Utrecht", "3511", "NL", None),
    locale("Ltd", "Mill Lane", "Leeds", "LS1 4DY", "GB", None),
];

const fn locale(
    legal_form: &'static str,
    street: &'static str,
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
    vat: Option<(&'static str, usize)>,
) -> CompanyLocale {
    CompanyLocale { legal_form, street, city, postal_code, country, vat }
}

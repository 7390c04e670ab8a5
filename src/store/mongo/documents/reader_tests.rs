//! Compares the reader with the one of the driver, on generated documents and on damaged ones.

use mongodb::bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawArray, RawBsonRef,
    RawDocument, RawDocumentBuf, Regex, Timestamp, oid, spec::BinarySubtype,
};
use proptest::prelude::*;

use super::reader::{BsonValue, Element, Elements, MalformedError};

/// A document as text, up to the first error of its reader.
fn printed(document: &RawDocument) -> String {
    elements(Elements::of(document))
}

fn elements(elements: Elements<'_>) -> String {
    let element = |element: Result<Element<'_>, MalformedError>| match element {
        Ok(element) => {
            format!("{:?}: {}", String::from_utf8_lossy(element.key()), value(element.value().ok()))
        }
        Err(_) => "malformed".to_owned(),
    };
    elements.map(element).collect::<Vec<_>>().join(", ")
}

fn value(value: Option<BsonValue<'_>>) -> String {
    match value {
        // The decoders do not distinguish a malformed value from one of another type.
        None | Some(BsonValue::Other) => "unusable".to_owned(),
        Some(BsonValue::Null) => "null".to_owned(),
        Some(BsonValue::Boolean(flag)) => format!("{flag}"),
        Some(BsonValue::Int32(n)) => format!("int {n}"),
        Some(BsonValue::Int64(n)) => format!("long {n}"),
        Some(BsonValue::Double(n)) => format!("double {:x}", n.to_bits()),
        Some(BsonValue::String(text)) => format!("{text:?}"),
        Some(BsonValue::Id(id)) => format!("id {id}"),
        Some(BsonValue::Time(millis)) => format!("time {millis}"),
        Some(BsonValue::Binary(bytes)) => format!("binary {bytes:?}"),
        Some(BsonValue::Document(document)) => format!("{{{}}}", printed(document)),
        Some(BsonValue::Array(array)) => format!("[{}]", elements(array)),
    }
}

/// The same text from the reader of the driver.
fn printed_by_driver(document: &RawDocument) -> String {
    let element =
        |element: mongodb::bson::error::Result<mongodb::bson::raw::RawElement<'_>>| match element {
            Ok(element) => {
                format!("{:?}: {}", element.key().as_str(), value_by_driver(element.value().ok()))
            }
            Err(_) => "malformed".to_owned(),
        };
    document.iter_elements().map(element).collect::<Vec<_>>().join(", ")
}

fn value_by_driver(read: Option<RawBsonRef<'_>>) -> String {
    value(Some(match read {
        None => return value(None),
        Some(RawBsonRef::Document(document)) => {
            return format!("{{{}}}", printed_by_driver(document));
        }
        Some(RawBsonRef::Array(array)) => return format!("[{}]", array_by_driver(array)),
        Some(RawBsonRef::Null) => BsonValue::Null,
        Some(RawBsonRef::Boolean(flag)) => BsonValue::Boolean(flag),
        Some(RawBsonRef::Int32(n)) => BsonValue::Int32(n),
        Some(RawBsonRef::Int64(n)) => BsonValue::Int64(n),
        Some(RawBsonRef::Double(n)) => BsonValue::Double(n),
        Some(RawBsonRef::String(text)) => BsonValue::String(text),
        Some(RawBsonRef::ObjectId(id)) => BsonValue::Id(crate::domain::id::ObjectId(id.bytes())),
        Some(RawBsonRef::DateTime(at)) => BsonValue::Time(at.timestamp_millis()),
        Some(RawBsonRef::Binary(binary)) if binary.subtype != BinarySubtype::BinaryOld => {
            return value(Some(BsonValue::Binary(binary.bytes)));
        }
        Some(_) => BsonValue::Other,
    }))
}

/// An array has the layout of a document, but the driver's type does not show it.
fn array_by_driver(array: &RawArray) -> String {
    printed_by_driver(RawDocument::from_bytes(array.as_bytes()).expect("the bytes of an array"))
}

/// Generates values of all types.
fn any_value() -> impl Strategy<Value = Bson> {
    let text = "[a-zä€]{0,20}";
    let leaf = prop_oneof![
        Just(Bson::Null),
        any::<bool>().prop_map(Bson::Boolean),
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        any::<f64>().prop_map(Bson::Double),
        text.prop_map(Bson::String),
        any::<[u8; 12]>().prop_map(|id| Bson::ObjectId(oid::ObjectId::from_bytes(id))),
        any::<i64>().prop_map(|millis| Bson::DateTime(DateTime::from_millis(millis))),
        (any::<u8>(), any::<Vec<u8>>()).prop_map(|(subtype, bytes)| {
            Bson::Binary(Binary { subtype: subtype.into(), bytes })
        }),
        any::<[u8; 16]>().prop_map(|bytes| Bson::Decimal128(Decimal128::from_bytes(bytes))),
        text.prop_map(Bson::Symbol),
        text.prop_map(Bson::JavaScriptCode),
        any::<(u32, u32)>()
            .prop_map(|(time, increment)| Bson::Timestamp(Timestamp { time, increment })),
        Just(Bson::MinKey),
        Just(Bson::MaxKey),
        Just(Bson::Undefined),
        text.prop_map(|text| Bson::RegularExpression(Regex {
            pattern: text.try_into().expect("a text without a terminator"),
            options: "i".to_owned().try_into().expect("a text without a terminator"),
        })),
        text.prop_map(|code| Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
            code,
            scope: Document::new()
        })),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let fields = prop::collection::vec(("[a-zA-Zö_]{0,10}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Bson::Array),
            fields.prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(("[a-zA-Zö_]{0,10}", any_value()), 0..6).prop_map(|fields| {
        let document: Document = fields.into_iter().collect();
        RawDocumentBuf::try_from(&document).expect("a document").into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn document_reads_as_by_the_driver(bytes in any_document()) {
        let document = RawDocument::from_bytes(&bytes).expect("a document");
        prop_assert_eq!(printed(document), printed_by_driver(document));
    }

    #[test]
    fn damaged_document_reads_as_by_the_driver(
        mut bytes in any_document(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (index, byte) in damage {
            // The length stays, because a document with another length is none.
            let index = 4 + index.index(bytes.len() - 4);
            bytes[index] = byte;
        }
        let Ok(document) = RawDocument::from_bytes(&bytes) else { return Ok(()) };
        prop_assert_eq!(printed(document), printed_by_driver(document));
    }
}

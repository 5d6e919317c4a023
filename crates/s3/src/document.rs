//! The XML that S3 answers with: errors, lists, and what becomes of uploads in parts.
//!
//! These are flat and have next to no attributes. The parser takes time by the square of how many attributes an element has, and by the cube of how
//! many elements within each other name a namespace, so a document with many of either is none of S3's.

use roxmltree::{Document, Node, ParsingOptions};

/// The most elements and texts of a document that are looked at.
const MAX_NODES: u32 = 1000;
/// The same of a list of names: a thousand, each with ten things to say of it, and the white space between them.
const MAX_LISTED_NODES: u32 = 50_000;
/// The most equals signs behind the beginning of a tag and before the next: each attribute has one, and a name of 1,024 bytes may be made of them.
const MAX_EQUALS_SIGNS: usize = 1_100;
/// The most names of namespaces.
const MAX_NAMESPACES: usize = 256;

/// Whether it is a document of this kind.
pub(crate) fn is_of(document: &[u8], root: &str) -> bool {
    read(document, MAX_NODES).is_some_and(|document| document.root_element().tag_name().name() == root)
}

/// What a document of this kind says under these names.
pub(crate) fn elements<const N: usize>(document: &[u8], root: &str, names: [&str; N]) -> [Option<String>; N] {
    let document = read(document, MAX_NODES);
    let root =
        document.as_ref().map(Document::root_element).filter(|element| element.tag_name().name() == root);
    names.map(|name| child(root?, name).map(str::to_owned))
}

/// What an answer to a list has to say: every name in it, and whether there are more. None where it is no such answer.
pub(crate) fn listing(document: &[u8]) -> Option<(Vec<String>, bool)> {
    let document = read(document, MAX_LISTED_NODES)?;
    let root = Some(document.root_element()).filter(|root| root.tag_name().name() == "ListBucketResult")?;
    let contents = root.children().filter(|child| child.tag_name().name() == "Contents");
    let names = contents.map(|object| child(object, "Key").map(str::to_owned)).collect::<Option<_>>()?;
    Some((names, child(root, "IsTruncated") == Some("true")))
}

fn read(bytes: &[u8], nodes_limit: u32) -> Option<Document<'_>> {
    let options = ParsingOptions { nodes_limit, ..ParsingOptions::default() };
    // A server that works on an answer for long keeps the connection awake with white space.
    let text = str::from_utf8(bytes).ok()?.trim_start();
    if is_plain(text) { Document::parse_with_options(text, options).ok() } else { None }
}

fn is_plain(text: &str) -> bool {
    // No value of an attribute has the beginning of a tag in it.
    let attributes = |element: &str| element.bytes().filter(|byte| *byte == b'=').count();
    text.split('<').all(|element| attributes(element) <= MAX_EQUALS_SIGNS)
        && text.matches("xmlns").count() <= MAX_NAMESPACES
}

fn child<'a>(element: Node<'a, '_>, name: &str) -> Option<&'a str> {
    element.children().find(|child| child.tag_name().name() == name).and_then(|child| child.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(name: &str, attributes: &str) -> String {
        format!("<ListBucketResult><Contents {attributes}><Key>{name}</Key></Contents></ListBucketResult>")
    }

    #[test]
    fn an_element_has_few_attributes_and_a_name_any_characters() {
        let attributes = |number: usize| -> String { (0..number).map(|at| format!("a{at}='' ")).collect() };
        assert!(listing(list_of("a", &attributes(MAX_EQUALS_SIGNS)).as_bytes()).is_some());
        assert_eq!(listing(list_of("a", &attributes(MAX_EQUALS_SIGNS + 1)).as_bytes()), None);
        let name = "=".repeat(1024);
        assert_eq!(listing(list_of(&name, "").as_bytes()), Some((vec![name], false)));
    }

    #[test]
    fn namespaces_within_each_other_are_few() {
        let nested = |number: usize| {
            let open: String = (0..number).map(|at| format!("<a xmlns:b{at}='c'>")).collect();
            format!("<Error>{open}{}<Code>A</Code></Error>", "</a>".repeat(number))
        };
        let code = |number| elements(nested(number).as_bytes(), "Error", ["Code"]);
        assert_eq!(code(MAX_NAMESPACES), [Some("A".to_owned())]);
        assert_eq!(code(MAX_NAMESPACES + 1), [None]);
    }

    #[test]
    fn a_document_of_another_kind_says_nothing() {
        let document = b"  <Error><Code>A</Code></Error>";
        assert_eq!(elements(document, "Error", ["Code", "Region"]), [Some("A".to_owned()), None]);
        assert_eq!(elements(document, "Other", ["Code"]), [None]);
        assert!(is_of(document, "Error") && !is_of(document, "Code"));
        assert!(!is_of(b"<!DOCTYPE a [<!ENTITY b 'c'>]><Error>&b;</Error>", "Error"), "no entities");
    }
}

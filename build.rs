//! Compiles `proto/*.proto` with protox, so that no system protoc is needed.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files: Vec<PathBuf> =
        fs::read_dir("proto")?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    // A directory has no order; the generated code must not depend on it.
    files.sort();
    let descriptors = protox::compile(&files, ["proto"])?;
    // The walk for unknown fields needs to know which fields there are.
    let mut messages = BTreeMap::new();
    for file in &descriptors.file {
        let mut open: Vec<_> = file.message_type.iter().map(|message| (file.package().to_owned(), message)).collect();
        while let Some((parent, message)) = open.pop() {
            let name = format!("{parent}.{}", message.name());
            open.extend(message.nested_type.iter().map(|nested| (name.clone(), nested)));
            messages.insert(name, &message.field);
        }
    }
    let numbers: BTreeMap<_, _> = messages.keys().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    let mut table = String::from("pub(super) const MESSAGES: &[(&str, &[Field])] = &[\n");
    for (name, fields) in &messages {
        writeln!(table, "    ({name:?}, &[")?;
        for field in *fields {
            // The numbers of `FieldDescriptorProto.Type` and `Label`.
            let wire = match field.r#type.unwrap_or_default() {
                1 | 6 | 16 => 1,
                2 | 7 | 15 => 5,
                9 | 11 | 12 => 2,
                _ => 0,
            };
            let (number, packable) = (field.number(), field.label == Some(3) && wire != 2);
            let message = numbers.get(field.type_name().trim_start_matches('.')).filter(|_| field.r#type == Some(11));
            writeln!(
                table,
                "        Field {{ number: {number}, wire: {wire}, packable: {packable}, message: {message:?} }},"
            )?;
        }
        table.push_str("    ]),\n");
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("fields_table.rs"), table)?;
    prost_build::Config::new().bytes(["."]).btree_map(["."]).enable_type_names().compile_fds(descriptors)?;
    Ok(())
}

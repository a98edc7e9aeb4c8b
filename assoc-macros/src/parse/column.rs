//! `#[column(…)]`: the options of a column.

use proc_macro2::Span;
use syn::Attribute;

use super::{ColumnInput, DefaultInput, FilledInput, Precision, all_arguments};
use crate::errors::Errors;
use crate::options;

pub(super) fn column(attributes: &[Attribute], errors: &mut Errors) -> ColumnInput {
    let mut column = ColumnInput::default();
    let (mut precision, mut scale) = (None, None);
    for argument in all_arguments(attributes, &options::COLUMN, errors) {
        match argument.name().as_str() {
            "name" => column.name = argument.text(errors),
            "length" => column.length = argument.number(errors),
            "precision" => precision = Some((argument.number(errors), argument.span())),
            "scale" => scale = Some((argument.number(errors), argument.span())),
            "generated" => {
                column.generated = argument.optional_text(errors).map(|expression| (argument.span(), expression));
            }
            "read_back" => column.read_back = argument.flag(errors),
            "serde" => match argument.boolean(errors) {
                Some(false) => column.serde_leaves_out = Some(argument.span()),
                Some(true) => errors.at(
                    argument.span(),
                    "`#[model(serde)]` writes each column: `serde = false` on a column leaves it out".to_owned(),
                ),
                None => {}
            },
            option @ ("created_at" | "updated_at" | "lock_version" | "counter_cache" | "default_with") => {
                let filled = match option {
                    "created_at" => argument.flag(errors).then_some(FilledInput::CreatedAt),
                    "updated_at" => argument.flag(errors).then_some(FilledInput::UpdatedAt),
                    "lock_version" => argument.flag(errors).then_some(FilledInput::LockVersion),
                    "counter_cache" => argument.flag(errors).then_some(FilledInput::CounterCache),
                    _ => argument.function(errors).map(FilledInput::With),
                };
                match &column.filled {
                    Some((earlier, _)) => errors.at(
                        argument.span(),
                        format!("`{option}` and `{}` both fill the column in: write one of them", earlier.option()),
                    ),
                    None => column.filled = filled.map(|filled| (filled, argument.span())),
                }
            }
            _ => {
                column.default = match argument.optional_text(errors) {
                    None => DefaultInput::None,
                    Some(None) => DefaultInput::Database,
                    Some(Some(sql)) => DefaultInput::Sql(sql),
                }
            }
        }
    }
    column.precision = precision_of(precision, scale, errors);
    column
}

type Given = Option<(Option<u32>, Span)>;

// Of a number that could not be read is said so already.
fn precision_of(precision: Given, scale: Given, errors: &mut Errors) -> Option<Precision> {
    let Some((precision, span)) = precision else {
        if let Some((_, span)) = scale {
            errors.at(span, "`scale` needs the number of digits as well: write `precision = 12, scale = 2`".to_owned());
        }
        return None;
    };
    let (scale, scale_span) = scale.map_or((Some(0), span), |(scale, span)| (scale, span));
    let (precision, scale) = (precision?, scale?);
    if !(1..=65).contains(&precision) {
        errors.at(span, "a decimal has 1 to 65 digits: write `precision = 12`".to_owned());
        return None;
    }
    if scale > precision.min(28) {
        let message = if scale > precision {
            format!("{scale} of {precision} digits cannot be behind the point: `scale` is at most `precision`")
        } else {
            "a decimal has at most 28 decimal places".to_owned()
        };
        errors.at(scale_span, message);
        return None;
    }
    // Both are small.
    Some(Precision { precision: u8::try_from(precision).ok()?, scale: u8::try_from(scale).ok()?, span })
}

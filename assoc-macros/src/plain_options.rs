//! Options of associations that set one field of the association's definition and mean nothing else to the macros. An
//! option of this kind is one row of the table: its name, its associations, and the call that sets the field.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attributes::Argument;
use crate::errors::Errors;
use crate::kinds::Kind;

/// A plain option.
pub(crate) struct PlainOption {
    pub(crate) name: &'static str,
    /// The associations that take it.
    kinds: &'static [Kind],
    /// Reads the value, and writes the call on the definition. `None` if the value is refused, or if it says what holds
    /// without the option.
    call: fn(&Argument, &mut Errors) -> Option<TokenStream>,
}

const PLAIN_OPTIONS: &[PlainOption] = &[
    PlainOption {
        name: "autosave",
        kinds: &Kind::ALL,
        call: |argument, errors| argument.boolean(errors).map(|autosave| quote!(.autosave(#autosave))),
    },
    PlainOption {
        name: "validate",
        kinds: &Kind::ALL,
        call: |argument, errors| argument.boolean(errors).map(|validate| quote!(.validate(#validate))),
    },
];

/// The plain options of an attribute: `has_many`. None of attributes that declare no association.
pub(crate) fn of(attribute: &str) -> impl Iterator<Item = &'static PlainOption> {
    PLAIN_OPTIONS.iter().filter(move |option| option.kinds.iter().any(|kind| kind.attribute() == attribute))
}

/// The call that a plain option becomes; `None` if the argument is another option.
pub(crate) fn read(argument: &Argument, errors: &mut Errors) -> Option<TokenStream> {
    let name = argument.name();
    let option = PLAIN_OPTIONS.iter().find(|option| option.name == name)?;
    Some((option.call)(argument, errors).unwrap_or_default())
}

//! The callbacks of models and associations, in their definitions.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::{called, generated, without_self};
use crate::parse::MemberCallbacksInput;
use crate::validate::{Association, Model};

/// What the model's definition says of its callbacks.
pub(super) fn of_model(model: &Model) -> Option<TokenStream> {
    let ident = &model.ident;
    // At the option: what is missing is said there.
    let at = generated(model.callbacks?);
    Some(quote_spanned!(at=> .with_callbacks(<#ident as __assoc::HasCallbacks>::CALLBACKS)))
}

/// What the association's definition says of its callbacks.
pub(super) fn of_members(model: &Model, association: &Association) -> Option<TokenStream> {
    let MemberCallbacksInput { before_add, after_add, before_remove, after_remove } = &association.callbacks;
    let adds = !before_add.is_empty() || !after_add.is_empty();
    let removes = !before_remove.is_empty() || !after_remove.is_empty();
    if !adds && !removes {
        return None;
    }
    let before_add: Vec<_> = before_add.iter().map(|path| function(model, association, path, true)).collect();
    let lists = [after_add, before_remove, after_remove];
    let [after_add, before_remove, after_remove] =
        lists.map(|paths| paths.iter().map(|path| function(model, association, path, false)).collect::<Vec<_>>());
    Some(quote! {
        .callbacks(__assoc::MemberCallbacks::new(
            #adds,
            #removes,
            &__assoc::MemberFunctions {
                before_add: &[#(#before_add),*],
                after_add: &[#(#after_add),*],
                before_remove: &[#(#before_remove),*],
                after_remove: &[#(#after_remove),*],
            },
        ))
    })
}

// A function of the application as one that takes rows of any model.
fn function(model: &Model, association: &Association, path: &Path, is_of_change: bool) -> TokenStream {
    let (owner, target) = (&model.ident, &association.target);
    let (member_type, given, member) = if is_of_change {
        (quote!(__assoc::RowChange), quote!(__assoc::Change<#target>), quote!(&__assoc::change_as::<#target>(__member)))
    } else {
        (quote!(__assoc::Row), quote!(#target), quote!(__assoc::row_as::<#target>(__member)?))
    };
    let at = generated(path.span());
    let signature = quote_spanned!(at=> __assoc::MemberCallback<'_, '_, #owner, #given, _>);
    let call = called(path, &signature, &quote!(__owner, __member, __cx));
    let call = quote_spanned!(at=> __assoc::callback_future(#call).await);
    let function = Ident::new("__callback", Span::call_site());
    let code = quote! {
        {
            fn #function<'__a>(
                __owner: &'__a __assoc::Row,
                __member: &'__a #member_type,
                __cx: &'__a __assoc::CallbackContext<'__a>,
            ) -> __assoc::BoxFuture<'__a, __assoc::Result<()>> {
                __assoc::Box::pin(async move {
                    let __owner = __assoc::row_as::<#owner>(__owner)?;
                    let __member = #member;
                    #call
                })
            }
            #function
        }
    };
    without_self(code, owner)
}

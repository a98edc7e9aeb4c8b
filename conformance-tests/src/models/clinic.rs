//! Fixture F, through associations: physicians and patients, documents and paragraphs, suppliers and histories.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "physicians")]
pub(crate) struct Physician {
    pub(crate) id: i64,
    pub(crate) name: String,
    // Declared before the association it goes through (F36).
    #[has_many(through = "appointments")]
    pub(crate) patients: HasManyThrough<Patient>,
    #[has_many]
    pub(crate) appointments: HasMany<Appointment>,
    #[has_many(through = "appointments", source = "patient", distinct, order = Patient::NAME.desc())]
    pub(crate) known_patients: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", limit = 1)]
    pub(crate) first_patients: HasManyThrough<Patient>,
    // Nested: through a through.
    #[has_many(through = "patients", source = "appointments")]
    pub(crate) colleagues_appointments: HasManyThrough<Appointment>,
    #[has_many(through = "colleagues_appointments", source = "physician", distinct)]
    pub(crate) colleagues: HasManyThrough<Physician>,
}

/// Physicians, by some of their patients.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "physicians")]
pub(crate) struct Doctor {
    pub(crate) id: i64,
    #[has_many(foreign_key = "physician_id")]
    pub(crate) appointments: HasMany<Appointment>,
    #[has_many(through = "appointments", source = "patient", limit = 2)]
    pub(crate) two_patients: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", distinct, order = Patient::NAME.desc(), limit = 2)]
    pub(crate) last_patients: HasManyThrough<Patient>,
    #[has_many(through = "last_patients", source = "appointments", order = Appointment::ROOM.asc(), limit = 3)]
    pub(crate) their_low_appointments: HasManyThrough<Appointment>,
    #[has_many(foreign_key = "physician_id", scope_by_owner = not_in_own_room)]
    pub(crate) appointments_elsewhere: HasMany<Appointment>,
    #[has_many(through = "appointments_elsewhere", source = "patient")]
    pub(crate) patients_elsewhere: HasManyThrough<Patient>,
    #[has_many(through = "appointments", source = "patient", scope_by_owner = by_turns)]
    pub(crate) patients_in_turn: HasManyThrough<Patient>,
    #[has_many(through = "patients_in_turn", source = "appointments")]
    pub(crate) appointments_in_turn: HasManyThrough<Appointment>,
}

fn not_in_own_room(doctor: &Doctor, appointments: Scope<Appointment>) -> Scope<Appointment> {
    appointments.filter(Appointment::ROOM.ne(doctor.id))
}

fn by_turns(doctor: &Doctor, patients: Scope<Patient>) -> Scope<Patient> {
    if doctor.id % 2 == 0 { patients.order_by(Patient::NAME.desc()).limit(1) } else { patients.distinct() }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "appointments")]
pub(crate) struct Appointment {
    pub(crate) id: i64,
    pub(crate) physician_id: i64,
    pub(crate) patient_id: Option<i64>,
    pub(crate) room: i64,
    #[belongs_to]
    pub(crate) physician: BelongsTo<Physician>,
    #[belongs_to]
    pub(crate) patient: BelongsTo<Option<Patient>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "patients")]
pub(crate) struct Patient {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many]
    pub(crate) appointments: HasMany<Appointment>,
    #[has_many(through = "appointments")]
    pub(crate) physicians: HasManyThrough<Physician>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "documents")]
pub(crate) struct Document {
    pub(crate) id: i64,
    #[has_many]
    pub(crate) sections: HasMany<Section>,
    #[has_many(through = "sections")]
    pub(crate) paragraphs: HasManyThrough<Paragraph>,
    // The source is a has_one: what has none is skipped.
    #[has_many(through = "sections", source = "first_paragraph")]
    pub(crate) first_paragraphs: HasManyThrough<Paragraph>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sections")]
pub(crate) struct Section {
    pub(crate) id: i64,
    pub(crate) document_id: i64,
    #[belongs_to]
    pub(crate) document: BelongsTo<Document>,
    #[has_many]
    pub(crate) paragraphs: HasMany<Paragraph>,
    #[has_one]
    pub(crate) first_paragraph: HasOne<Option<Paragraph>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "paragraphs")]
pub(crate) struct Paragraph {
    pub(crate) id: i64,
    pub(crate) section_id: i64,
    #[belongs_to]
    pub(crate) section: BelongsTo<Section>,
    // Through a belongs_to.
    #[has_one(through = "section")]
    pub(crate) document: HasOne<Option<Document>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "suppliers")]
pub(crate) struct Supplier {
    pub(crate) id: i64,
    #[has_one]
    pub(crate) account: HasOne<Option<SupplierAccount>>,
    #[has_one(through = "account", source = "history")]
    pub(crate) account_history: HasOne<Option<AccountHistory>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "supplier_accounts")]
pub(crate) struct SupplierAccount {
    pub(crate) id: i64,
    pub(crate) supplier_id: i64,
    #[belongs_to]
    pub(crate) supplier: BelongsTo<Supplier>,
    #[has_one]
    pub(crate) history: HasOne<Option<AccountHistory>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "account_histories")]
pub(crate) struct AccountHistory {
    pub(crate) id: i64,
    pub(crate) supplier_account_id: i64,
    pub(crate) credit: i64,
    #[belongs_to]
    pub(crate) supplier_account: BelongsTo<SupplierAccount>,
}

/// Makes the tables and fills them.
pub(crate) async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Physician>().await?;
    repo.create_table::<Appointment>().await?;
    repo.create_table::<Patient>().await?;
    repo.create_table::<Document>().await?;
    repo.create_table::<Section>().await?;
    repo.create_table::<Paragraph>().await?;
    repo.create_table::<Supplier>().await?;
    repo.create_table::<SupplierAccount>().await?;
    repo.create_table::<AccountHistory>().await?;
    repo.insert_all(["Ph1", "Ph2", "Ph3"].map(|name| Physician::build().set(Physician::NAME, name))).await?;
    repo.insert_all(["Pt1", "Pt2", "Pt3"].map(|name| Patient::build().set(Patient::NAME, name))).await?;
    let appointment = |physician: i64, patient: Option<i64>, room: i64| {
        Appointment::build()
            .set(Appointment::PHYSICIAN_ID, physician)
            .set(Appointment::PATIENT_ID, patient)
            .set(Appointment::ROOM, room)
    };
    // Physician 1 saw patient 2 first and patient 1 twice; one appointment has no patient.
    repo.insert_all([
        appointment(1, Some(2), 1),
        appointment(1, Some(1), 2),
        appointment(2, Some(1), 1),
        appointment(1, Some(1), 3),
        appointment(2, None, 2),
    ])
    .await?;
    repo.insert_all([Document::build(), Document::build()]).await?;
    repo.insert_all([1, 1, 2].map(|document: i64| Section::build().set(Section::DOCUMENT_ID, document))).await?;
    repo.insert_all([2, 1, 1, 2].map(|section: i64| Paragraph::build().set(Paragraph::SECTION_ID, section))).await?;
    repo.insert_all([Supplier::build(), Supplier::build(), Supplier::build()]).await?;
    repo.insert_all([1, 2].map(|supplier: i64| SupplierAccount::build().set(SupplierAccount::SUPPLIER_ID, supplier)))
        .await?;
    repo.insert(AccountHistory::build().set(AccountHistory::SUPPLIER_ACCOUNT_ID, 1).set(AccountHistory::CREDIT, 500))
        .await?;
    Ok(())
}

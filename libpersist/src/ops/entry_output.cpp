// What the forms of output have in common.
#include "ops/entry_output.hpp"

#include "base/letters.hpp"
#include "rdb/file_head.hpp"

namespace persist {

namespace {

// A buffer that grew for something unusually large is not kept.
constexpr size_t kMadeBytesKept = size_t{16} << 20;

using MakeOutput = std::unique_ptr<EntryOutput> (*)(const OutputRules& rules);

// By OutputForm.
struct FormRow {
  Bytes name;
  MakeOutput make;
};
constexpr FormRow kForms[] = {
    {"rdb", make_rdb_output},    {"aof", make_command_output}, {"resp", make_command_output},
    {"jsonl", make_json_output}, {"csv", make_csv_output},     {"dump", make_payload_output},
};

}  // namespace

bool EntryOutput::copies(const Encoding& /*encoding*/) const { return false; }

bool EntryOutput::put_copy(const RdbEntry& /*entry*/, const EntryValue::Raw& /*raw*/, bool /*as_it_was*/) {
  return false;
}

void EntryOutput::lose_record(const RdbRecord& record) {
  if (std::holds_alternative<FunctionLibrary>(record.body)) losses_.add(LossFeature::functions);
  if (std::holds_alternative<ModuleAux>(record.body)) losses_.add(LossFeature::module_aux);
  if (std::holds_alternative<SlotImport>(record.body)) losses_.add(LossFeature::slot_imports);
  const auto* aux = std::get_if<AuxField>(&record.body);
  if (aux != nullptr && equals_ignoring_case(aux->name, kScriptAux)) losses_.add(LossFeature::scripts);
}

void EntryOutput::clear() {
  made_.clear();
  made_.shrink(kMadeBytesKept);
  losses_.clear();
  written_ = 0;
  first_db_.reset();
  last_db_.reset();
}

std::unique_ptr<EntryOutput> make_output(const OutputRules& rules) {
  if (rules.make) return rules.make(rules);
  return rules.only_probes ? make_loss_probe(rules) : kForms[static_cast<size_t>(rules.form)].make(rules);
}

Bytes output_form_name(OutputForm form) { return kForms[static_cast<size_t>(form)].name; }

std::optional<OutputForm> find_output_form(Bytes name) {
  for (size_t i = 0; i < std::size(kForms); ++i)
    if (kForms[i].name == name) return static_cast<OutputForm>(i);
  return std::nullopt;
}

}  // namespace persist

// The public writer: records are gathered, fitted and encoded, and go out in large pieces.
#include "persist/rdb_writer.hpp"

#include <stdexcept>

#include "base/byte_buffer.hpp"
#include "base/crc64.hpp"
#include "rdb/file_head.hpp"
#include "rdb/function_code.hpp"
#include "rdb/record_encoder.hpp"
#include "types/fit.hpp"
#include "types/module.hpp"

namespace persist {

struct RdbWriter::State {
  State(ByteSink& to, const WriteOptions& options)
      : sink(to),
        checksum(options.checksum),
        fit{options.target, Carrier::rdb, options.modules},
        records(made, {options.target, options.limits, options.compress}),
        fitter(fit, losses) {}

  void flush_if(size_t most) {
    if (made.size() < most) return;
    if (checksum) crc = crc64(crc, made.bytes());
    sink.write(made.bytes());
    made.clear();
  }

  void select(uint64_t wanted) {
    if (db == wanted) return;
    records.select(wanted);
    db = wanted;
  }

  ByteSink& sink;
  bool checksum;
  FitRules fit;
  ByteBuffer made;
  LossReport losses;
  RecordEncoder records;
  Fitter fitter;
  Value value;
  std::optional<uint64_t> db;
  uint64_t crc = 0;
};

namespace {

constexpr size_t kFlushBytes = size_t{1} << 20;

// In the order of the alternatives of Element.
constexpr ValueType kTypes[] = {ValueType::string, ValueType::list,   ValueType::set,    ValueType::zset,
                                ValueType::hash,   ValueType::stream, ValueType::stream, ValueType::stream,
                                ValueType::stream, ValueType::stream, ValueType::stream, ValueType::stream,
                                ValueType::stream, ValueType::array,  ValueType::array,  ValueType::module};
static_assert(std::size(kTypes) == std::variant_size_v<Element>);

// Whether the value can go on with that element.
bool can_follow(const Value& value, const Element& element) {
  if (kTypes[element.index()] != value.type) return false;
  if (std::holds_alternative<StreamPending>(element) || std::holds_alternative<StreamConsumer>(element))
    return !value.stream.groups.empty();
  if (std::holds_alternative<StreamIid>(element)) return !value.stream.producers.empty();
  const auto* of_module = std::get_if<ModuleValue>(&element);
  return of_module == nullptr || of_module->module.size() == kModuleNameBytes;
}

void gather(const RdbEntry& head, TellElements tell, Value& value) {
  value.begin(head.encoding->type);
  tell([&](const Element& told) {
    if (!can_follow(value, told))
      throw std::invalid_argument("the value of \"" + std::string(head.key) + "\" is none: not a " +
                                  std::string(value_type_name(value.type)));
    value.add(told);
  });
}

}  // namespace

RdbWriter::RdbWriter(ByteSink& sink, const WriteOptions& options)
    : state_(std::make_unique<State>(sink, options)) {
  write_file_head(state_->records, {});
}

RdbWriter::~RdbWriter() = default;

void RdbWriter::aux(Bytes name, Bytes value) {
  if (knows_aux(state_->records.target())) state_->records.aux(name, value);
}

void RdbWriter::function(Bytes code) {
  if (knows_functions(state_->records.target()))
    state_->records.function(code);
  else
    state_->losses.add(LossFeature::functions);
}

bool RdbWriter::entry(const RdbEntry& head, TellElements tell) {
  State& state = *state_;
  gather(head, tell, state.value);
  if (!state.fitter.fit_value(head, state.value)) return false;
  const RdbEntry& fitted = state.fitter.fit(head);
  state.select(head.db);
  state.records.entry(fitted, state.value);
  state.records.shrink();
  state.flush_if(kFlushBytes);
  return true;
}

void RdbWriter::finish() {
  state_->records.end();
  state_->flush_if(0);
  if (!state_->records.has_checksum()) return;
  char bytes[sizeof(uint64_t)];
  store_le(bytes, state_->crc);
  state_->sink.write({bytes, sizeof bytes});
}

const LossReport& RdbWriter::losses() const { return state_->losses; }

std::string make_dump_payload(const RdbEntry& head, TellElements tell, const WriteOptions& options,
                              LossReport& losses) {
  const FitRules rules{options.target, Carrier::payload, options.modules};
  Fitter fitter(rules, losses);
  Value value;
  gather(head, tell, value);
  if (!fitter.fit_value(head, value)) return {};
  const RdbEntry& fitted = fitter.fit(head);
  ByteBuffer made;
  RecordEncoder(made, {options.target, options.limits, options.compress}).payload(fitted, value);
  return std::string(made.bytes());
}

}  // namespace persist

// The digest of all that a dataset is, whoever keeps it and how. persist-digest(1), THE FULL DIGEST
//
// Numbers are eight bytes, big-endian, -1 standing for "none"; strings have their length in front; what has
// no order is added up, hash by hash, modulo 2^160.
#include <bit>
#include <utility>

#include "engine/digest.hpp"
#include "engine/digest_steps.hpp"
#include "engine/module_digest.hpp"

namespace persist {

namespace {

constexpr int64_t kNone = -1;

// The sum of hashes; each is begun, filled and then added.
template <typename Fields>
class HashSum {
 public:
  void add(Fields& fields) { add_into(sum_, fields.finish()); }
  Sha1Hash take() { return std::exchange(sum_, {}); }

 private:
  Sha1Hash sum_{};
};

// `Fields` is FieldHash, or FastFieldHash.
template <typename Fields>
class FullDigest : public KeyDigest {
 public:
  // The seed of a hash that has one.
  template <typename... Seed>
  explicit FullDigest(Seed... seed) : fields_(seed...), one_(seed...), part_fields_(seed...) {}

  // What is left of a value that was given up goes, too.
  void begin(const DigestKey& key) override {
    for (Fields* fields : {&fields_, &one_, &part_fields_}) fields->restart();
    for (HashSum<Fields>* sum : {&members_, &part_members_}) sum->take();
    part_ = Part::none;
    fields_.bytes("key").number(key.db).bytes(key.key).number(key.expire_at_ms);
    fields_.bytes(value_type_name(key.type));
    type_ = key.type;
    idmp_ = kIdmpAsNew;  // as servers set it where an encoding has none
  }

  void add(const Element& told) override { std::visit(*this, told); }
  void add_run(Bytes run) override { fields_.raw(run); }
  void add_vector_set(const VectorSet& told) override { add_module(told); }

  Sha1Hash finish() override {
    if (type_ == ValueType::stream) end_stream();
    if (has_members()) fields_.hash(members_.take());
    return fields_.finish();
  }

  // --- Each kind of element
  void operator()(const StringValue& told) { fields_.raw(told.value); }
  void operator()(const ListItem& told) { fields_.bytes(told.value); }
  void operator()(const SetMember& told) { members_.add(one_.bytes(told.member)); }
  void operator()(const SortedSetMember& told) {
    members_.add(one_.bytes(told.member).number(std::bit_cast<uint64_t>(told.score)));
  }
  void operator()(const HashField& told) {
    members_.add(one_.bytes(told.field).bytes(told.value).number(told.expire_at_ms));
  }
  void operator()(const ArrayInfo& told) {
    told.insert_index ? fields_.number(*told.insert_index) : fields_.number(kNone);
  }
  void operator()(const ArrayElement& told) { members_.add(one_.number(told.index).bytes(told.value)); }
  void operator()(const ModuleValue& told) { add_module(told); }

  void operator()(const StreamInfo& told) {
    add_id(fields_, told.last_id);
    add_id(fields_, told.max_deleted_id.value_or(StreamId{}));
    fields_.number(told.entries_added.value_or(told.length));
  }
  void operator()(const StreamEntry& told) {
    add_id(fields_, told.id);
    fields_.number(uint64_t{told.fields.size()});
    for (const StreamField& field : told.fields) fields_.bytes(field.field).bytes(field.value);
  }
  void operator()(const StreamGroup& told) {
    end_part();
    part_ = Part::group;
    part_fields_.bytes("group").bytes(told.name);
    add_id(part_fields_, told.last_id);
    told.entries_read ? part_fields_.number(*told.entries_read) : part_fields_.number(kNone);
  }
  void operator()(const StreamPending& told) {
    add_id(one_.bytes("pending"), told.id);
    one_.number(uint64_t{told.consumer ? 1U : 0U}).bytes(told.consumer.value_or(Bytes()));
    one_.number(told.delivery_time_ms).number(told.delivery_count);
    told.nack_rank ? one_.number(*told.nack_rank) : one_.number(kNone);
    part_members_.add(one_);
  }
  void operator()(const StreamConsumer& told) { part_members_.add(one_.bytes("consumer").bytes(told.name)); }
  void operator()(const StreamProducer& told) {
    end_part();
    part_ = Part::producer;
    part_fields_.bytes("producer").bytes(told.id);
  }
  void operator()(const StreamIid& told) { add_id(part_fields_.bytes(told.iid), told.id); }
  void operator()(const StreamIdmp& told) { idmp_ = told; }

 private:
  enum class Part : uint8_t { none, group, producer };

  [[nodiscard]] bool has_members() const {
    return type_ != ValueType::string && type_ != ValueType::list && type_ != ValueType::module;
  }

  static Fields& add_id(Fields& to, StreamId id) { return to.number(id.ms).number(id.seq); }

  template <typename Told>
  void add_module(const Told& told) {
    if constexpr (std::is_same_v<Fields, FieldHash>) {
      add_module_fields(told, fields_);
    } else {
      FieldHash of_module;
      add_module_fields(told, of_module);
      fields_.hash(of_module.finish());
    }
  }

  // Groups and producers are told one after the other, each with what it has.
  void end_part() {
    if (part_ == Part::group) part_fields_.hash(part_members_.take());
    if (part_ != Part::none) members_.add(part_fields_);
    part_ = Part::none;
  }

  void end_stream() {
    end_part();
    fields_.number(idmp_.duration_s).number(idmp_.max_entries);
    fields_.number(idmp_.iids_added).number(idmp_.iids_duplicates);
  }

  Fields fields_;  // of the key
  Fields one_;     // of one member
  HashSum<Fields> members_;
  ValueType type_{};
  Part part_ = Part::none;
  Fields part_fields_;
  HashSum<Fields> part_members_;
  StreamIdmp idmp_;
};

}  // namespace

std::unique_ptr<KeyDigest> full_digest() { return std::make_unique<FullDigest<FieldHash>>(); }
std::unique_ptr<KeyDigest> proof_digest(uint64_t seed) {
  return std::make_unique<FullDigest<FastFieldHash>>(seed);
}

}  // namespace persist

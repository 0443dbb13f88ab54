// Only RDB files have a checksum, and not those of the oldest versions.
#include "ops/output_stream.hpp"

#include <array>

#include "base/crc64.hpp"
#include "base/endian.hpp"

namespace persist {

void OutputStream::begin() {
  own_->begin();
  take(*own_);
}

void OutputStream::record(const RdbRecord& record) {
  own_->put_record(record);
  take(*own_);
}

void OutputStream::take(EntryOutput& output) {
  if (const std::optional<uint64_t> db = output.first_db(); db && db_ != db) {
    selector_->select(*db);
    write(selector_->made().bytes());
    selector_->clear();
  }
  if (output.last_db()) db_ = output.last_db();
  output.hand_on();
  write(output.made().bytes());
  losses_.add(output.losses());
  written_ += output.written();
  output.clear();
}

void OutputStream::end() {
  own_->end(written_ == 0);
  take(*own_);
  if (rules_.form == OutputForm::rdb) write_checksum();
}

void OutputStream::write(Bytes bytes) {
  if (bytes.empty()) return;
  if (rules_.form == OutputForm::rdb && checksum_) crc_ = crc64(crc_, bytes);
  bytes_ += bytes.size();
  if (sink_ != nullptr) sink_->write(bytes);
}

// 0 stands for none.
void OutputStream::write_checksum() {
  if (rules_.target().header().version < kChecksumSince) return;
  std::array<char, sizeof(uint64_t)> bytes{};
  store_le(bytes.data(), crc_);
  write({bytes.data(), bytes.size()});
}

}  // namespace persist

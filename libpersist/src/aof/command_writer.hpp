// Commands that make a key anew, as servers write them in a rewrite. man/persist-aof.5, REWRITTEN FORM
#pragma once

#include <initializer_list>

#include "base/byte_buffer.hpp"
#include "persist/rdb_reader.hpp"
#include "persist/target.hpp"
#include "types/value.hpp"

namespace persist {

// The most items (elements, members, pairs) that one command takes, as servers have it; of arrays half as
// many, since they count the words.
inline constexpr size_t kCommandItemsMax = 64;
// No further item comes into a command whose arguments would then be larger than this: clients' commands may
// not be larger than a server's query buffer, 1 GiB, and others send on what we write.
inline constexpr size_t kCommandBytesMax = size_t{64} << 20;

// The latest expiry that commands can give a hash field there; kNoExpiry: none can.
[[nodiscard]] int64_t latest_field_expiry(const Target& target);

class CommandWriter {
 public:
  // Commands go to the end of `out`, as the target's server understands them. Both must outlive the writer.
  CommandWriter(ByteBuffer& out, const Target& target) : out_(out), target_(target) {}

  [[nodiscard]] const Target& target() const { return target_; }

  // One command at once; or its head and then as many arguments as it says.
  void command(std::initializer_list<Bytes> args);
  void begin(size_t args);
  void arg(Bytes bytes);
  template <std::integral T>
  void arg_number(T number) {
    char room[kDecimalMax];
    arg(to_decimal(number, room));
  }
  void arg_id(StreamId id);

  void select(uint64_t db);
  void function(Bytes code, bool replace);
  void del(Bytes key);

  // The commands of a value that the target can hold and that is neither void nor a module's, then that of
  // the expiry. Fields' expiries are left out where the target has none.
  void entry(const RdbEntry& entry, const Value& value);
  // The same for a string.
  void string_entry(const RdbEntry& entry, Bytes text);
  // PEXPIREAT, if the entry has an expiry; before 2.6 EXPIREAT, rounded up.
  void expiry(const RdbEntry& entry);
  // RESTORE of a DUMP payload, with expiry, idle time and frequency where the target's takes them; before 5.0
  // the expiry is a command of its own, before 3.0 a DEL comes first if it is to replace. There is no RESTORE
  // before 2.6.
  void restore(const RdbEntry& entry, Bytes payload, bool replace);

 private:
  ByteBuffer& out_;
  const Target& target_;
};

}  // namespace persist

// Writing with the installed library: one hash into an RDB file that Redis 6.2 reads.
#include <iostream>
#include <persist/rdb_writer.hpp>

int main(int argc, char** argv) {
  persist::AtomicFile file(argc > 1 ? argv[1] : "made.rdb", persist::Existing::refuse);
  persist::WriteOptions options;
  options.target = persist::find_target("redis-6.2");
  persist::RdbWriter writer(file, options);

  persist::RdbEntry head;
  head.key = "user:1";
  constexpr uint8_t kHash = 4;
  head.encoding = persist::find_encoding(persist::Dialect::redis, kHash);
  writer.entry(head, [](persist::ElementSink sink) {
    sink(persist::HashField{"name", "Ada"});
    // Redis 6.2 has no room for this expiry.
    sink(persist::HashField{"city", "London", 1795200000000});
  });
  writer.finish();
  file.commit();

  for (const persist::LossRow& row : persist::loss_rows()) {
    const uint64_t count = writer.losses().of(row.feature).count;
    if (count > 0) std::cout << count << ' ' << row.sentence << '\n';
  }
  return 0;
}

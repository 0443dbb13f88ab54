// A program that does nothing but write outputs, for the fault tests: a file, or a folder of several files.
//
// usage: write_outputs file|folder refuse|replace|back-up PATH
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "persist/sink.hpp"

namespace {

using namespace persist;

constexpr int kTrouble = 2;
constexpr size_t kPieceBytes = 3000;

Existing existing_of(std::string_view word) {
  if (word == "replace") return Existing::replace;
  return word == "back-up" ? Existing::back_up : Existing::refuse;
}

void write_pieces(ByteSink& sink, int count) {
  for (int piece = 0; piece < count; ++piece)
    sink.write(std::string(kPieceBytes, static_cast<char>('a' + piece % 26)));
}

void write_file(const std::string& path, Existing existing) {
  AtomicFile file(path, existing, {0640, {}, {}});
  write_pieces(file, 3);
  file.commit();
}

void write_folder(const std::string& path, Existing existing) {
  AtomicFolder folder(path, existing);
  write_pieces(*folder.create("appendonly.aof.1.base.rdb"), 2);
  write_pieces(*folder.create("appendonly.aof.1.incr.aof"), 3);
  folder.create("appendonly.aof.2.incr.aof");
  write_pieces(*folder.create("lost/piece"), 1);
  write_pieces(*folder.create("appendonly.aof.manifest"), 1);
  folder.commit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return kTrouble;
  try {
    if (std::string_view(argv[1]) == "folder") {
      write_folder(argv[3], existing_of(argv[2]));
    } else {
      write_file(argv[3], existing_of(argv[2]));
    }
  } catch (const std::exception& error) {
    std::fputs((std::string("write_outputs: ") + error.what() + "\n").c_str(), stderr);
    return kTrouble;
  }
  return 0;
}

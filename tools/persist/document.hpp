// A report as headings, paragraphs, lists, tables and commands, written as plain text or as Markdown for a
// ticket. Names and keys out of files go in as code(), other words as they are: neither becomes markup.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace persist::tool {

struct Span {
  Span(const char* plain) : text(plain) {}             // NOLINT(google-explicit-constructor): words are
  Span(std::string plain) : text(std::move(plain)) {}  // NOLINT(google-explicit-constructor): written as such
  Span(std::string what, bool code) : text(std::move(what)), is_code(code) {}

  std::string text;  // one line, without control characters
  bool is_code = false;
};
using Words = std::vector<Span>;

// Any bytes.
Span code(std::string_view bytes);
// Without markup.
std::string plain_text(const Words& words);

struct Column {
  std::string name;
  bool is_number = false;
};

class Document {
 public:
  virtual ~Document() = default;
  virtual void title(const Words& words) = 0;
  virtual void heading(const Words& words) = 0;
  virtual void subheading(const Words& words) = 0;
  virtual void paragraph(const Words& words) = 0;
  virtual void list(const std::vector<Words>& items) = 0;
  virtual void table(const std::vector<Column>& columns,
                     const std::vector<std::vector<std::string>>& rows) = 0;
  // Lines for a shell.
  virtual void commands(const std::vector<std::string>& lines) = 0;

  [[nodiscard]] const std::string& written() const { return written_; }

 protected:
  std::string written_;
};

std::unique_ptr<Document> text_document();
std::unique_ptr<Document> markdown_document();

// A path as a word of a shell's command line.
std::string shell_word(const std::string& path);

}  // namespace persist::tool

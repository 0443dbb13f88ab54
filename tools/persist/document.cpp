// Markdown as CommonMark has it, and GitHub's tables.
#include "document.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "terminal.hpp"

namespace persist::tool {

namespace {

// --- Plain text

class TextDocument : public Document {
 public:
  void title(const Words& words) override { underlined(words, '='); }
  void heading(const Words& words) override { underlined(words, '-'); }
  void subheading(const Words& words) override { block(plain_text(words) + ":\n"); }
  void paragraph(const Words& words) override { block(plain_text(words) + "\n"); }

  void list(const std::vector<Words>& items) override {
    std::string text;
    for (const Words& item : items) text += "- " + plain_text(item) + "\n";
    block(text);
  }

  void table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) override {
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const Column& column : columns) names.push_back(column.name);
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns.size(); ++i) {
      size_t width = names[i].size();
      for (const std::vector<std::string>& row : rows) width = std::max(width, row[i].size());
      widths.push_back(width);
    }
    std::string text = line(names, columns, widths);
    for (const std::vector<std::string>& row : rows) text += line(row, columns, widths);
    block(text);
  }

  void commands(const std::vector<std::string>& lines) override {
    std::string text;
    for (const std::string& line : lines) text += "    " + line + "\n";
    block(text);
  }

 private:
  void block(const std::string& text) { written_ += (written_.empty() ? "" : "\n") + text; }

  void underlined(const Words& words, char with) {
    const std::string text = plain_text(words);
    block(text + "\n" + std::string(text.size(), with) + "\n");
  }

  static std::string line(const std::vector<std::string>& cells, const std::vector<Column>& columns,
                          const std::vector<size_t>& widths) {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i) {
      text += i > 0 ? "  " : "";
      text += columns[i].is_number ? fmt::format("{:>{}}", cells[i], widths[i])
                                   : fmt::format("{:<{}}", cells[i], widths[i]);
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
};

// --- Markdown

// Backticks in a row, at most.
size_t longest_run(std::string_view text) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

// Between more backticks than it has itself. One blank at either end is no part of what is shown.
std::string code_span(const std::string& text) {
  if (text.empty()) return {};
  const std::string ticks(longest_run(text) + 1, '`');
  const bool touches = text.starts_with('`') || text.ends_with('`');
  const bool blanks = text.starts_with(' ') && text.ends_with(' ');
  const std::string pad = touches || blanks ? " " : "";
  return ticks + pad + text + pad + ticks;
}

std::string escaped_markdown(std::string_view text) {
  constexpr std::string_view kMarkup = "\\`*_[]<|~#&$";
  std::string escaped;
  for (const char c : text) {
    if (kMarkup.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string in_markdown(const Words& words) {
  std::string text;
  for (const Span& span : words) text += span.is_code ? code_span(span.text) : escaped_markdown(span.text);
  return text;
}

class MarkdownDocument : public Document {
 public:
  void title(const Words& words) override { block("# " + in_markdown(words) + "\n"); }
  void heading(const Words& words) override { block("## " + in_markdown(words) + "\n"); }
  void subheading(const Words& words) override { block("### " + in_markdown(words) + "\n"); }
  void paragraph(const Words& words) override { block(in_markdown(words) + "\n"); }

  void list(const std::vector<Words>& items) override {
    std::string text;
    for (const Words& item : items) text += "- " + in_markdown(item) + "\n";
    block(text);
  }

  void table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) override {
    std::string head = "|";
    std::string rule = "|";
    for (const Column& column : columns) {
      head += " " + escaped_markdown(column.name) + " |";
      rule += column.is_number ? " ---: |" : " --- |";
    }
    std::string text = head + "\n" + rule + "\n";
    for (const std::vector<std::string>& row : rows) {
      text += "|";
      for (const std::string& cell : row) text += " " + escaped_markdown(cell) + " |";
      text += "\n";
    }
    block(text);
  }

  void commands(const std::vector<std::string>& lines) override {
    size_t ticks = 2;
    for (const std::string& line : lines) ticks = std::max(ticks, longest_run(line));
    const std::string fence(ticks + 1, '`');
    std::string text = fence + "sh\n";
    for (const std::string& line : lines) text += line + "\n";
    block(text + fence + "\n");
  }

 private:
  void block(const std::string& text) { written_ += (written_.empty() ? "" : "\n") + text; }
};

}  // namespace

Span code(std::string_view bytes) { return {printable(bytes), true}; }

std::string plain_text(const Words& words) {
  std::string text;
  for (const Span& span : words) text += span.text;
  return text;
}

std::unique_ptr<Document> text_document() { return std::make_unique<TextDocument>(); }
std::unique_ptr<Document> markdown_document() { return std::make_unique<MarkdownDocument>(); }

std::string shell_word(const std::string& path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";
  std::string word = path.starts_with('-') ? "./" + path : path;
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  // What must not be on a terminal goes in bash's form.
  if (printable(word) != word) {
    std::string text;
    for (const char c : word) {
      text += kPlain.find(c) != std::string_view::npos
                  ? std::string(1, c)
                  : fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return "$'" + text + "'";
  }
  std::string text;
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + text + "'";
}

}  // namespace persist::tool

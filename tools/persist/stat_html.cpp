// Puts a report into the page. Keys are hostile: inside the script element that holds the data no character
// is left that HTML or JavaScript could take for something else than JSON.
#include "stat_html.hpp"

#include <stdexcept>

namespace persist::tool {

namespace {

struct Escape {
  std::string_view text;
  std::string_view instead;
};

// In JSON these stand within strings only. The last two end a line in JavaScript.
constexpr Escape kInScript[] = {
    {"<", "\\u003c"},
    {">", "\\u003e"},
    {"&", "\\u0026"},
    {"\xE2\x80\xA8", "\\u2028"},
    {"\xE2\x80\xA9", "\\u2029"},
};

constexpr Escape kInTitle[] = {
    {"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"'", "&#39;"},
};

template <size_t kEscapes>
void append_escaped(std::string& to, std::string_view text, const Escape (&escapes)[kEscapes]) {
  while (!text.empty()) {
    const Escape* found = nullptr;
    for (const Escape& escape : escapes)
      if (text.starts_with(escape.text)) found = &escape;
    to += found ? found->instead : text.substr(0, 1);
    text.remove_prefix(found ? found->text.size() : 1);
  }
}

// Appends the page up to the mark and takes both away.
void append_until(std::string& to, std::string_view& page, std::string_view mark) {
  const size_t at = page.find(mark);
  if (at == std::string_view::npos) throw std::logic_error("the page of stat has no " + std::string(mark));
  to += page.substr(0, at);
  page.remove_prefix(at + mark.size());
}

}  // namespace

std::string stat_html(const nlohmann::ordered_json& report, const std::string& title) {
  std::string_view page = kStatPage;
  std::string html;
  append_until(html, page, "%TITLE%");
  append_escaped(html, title, kInTitle);
  append_until(html, page, "%DATA%");
  const std::string json = report.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  append_escaped(html, json, kInScript);
  html += page;
  return html;
}

}  // namespace persist::tool

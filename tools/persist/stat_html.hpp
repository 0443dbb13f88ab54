// The report of `stat` as one HTML page that stands alone. persist-stat(1)
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace persist::tool {

// The page without its title and data: stat_page.html, which the build makes a string of.
extern const std::string_view kStatPage;

// `report` is what --json prints. Nothing in it or in the title can become markup.
std::string stat_html(const nlohmann::ordered_json& report, const std::string& title);

}  // namespace persist::tool

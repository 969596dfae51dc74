#include "layout.h"

#include <string_view>

#include "hookswitch/text.hpp"

namespace email {
namespace {

constexpr std::string_view kTruncated = "\n… (truncated)";
constexpr std::size_t kMaxTitle = 500, kMaxName = 200, kMaxValue = 5000, kMaxText = 20'000, kMaxFields = 200,
                      kMaxLinks = 50;

/// Cleaned, cut, and escaped for HTML.
std::string Plain(std::string_view text, std::size_t most, bool html) {
  return hsw::Escaped(hsw::Shorten(text, most, kTruncated), std::string_view::npos, "",
                      [html](std::string_view code_point, bool, std::string& out) {
                        if (html && code_point == "&") {
                          out += "&amp;";
                        } else if (html && code_point == "<") {
                          out += "&lt;";
                        } else if (html && code_point == ">") {
                          out += "&gt;";
                        } else if (html && code_point == "\"") {
                          out += "&quot;";
                        } else {
                          out += code_point;
                        }
                      });
}

std::string_view Colour(std::uint32_t severity) {
  switch (severity) {
    case HSW_SUCCESS: return "#2e7d32";
    case HSW_WARNING: return "#b26a00";
    case HSW_ERROR: return "#c62828";
    default: return "#455a64";
  }
}

template <class Use>
void EachField(const hsw::Message& message, Use use) {
  std::size_t shown = 0;
  for (const hsw_pair& field : message.Fields()) {
    if (hsw::IsBlank(hsw::View(field.name)) || hsw::IsBlank(hsw::View(field.value))) continue;
    if (shown++ == kMaxFields) return;
    use(hsw::View(field.name), hsw::View(field.value));
  }
}

std::string Label(const hsw::WebLink& link, bool html) {
  return hsw::IsBlank(link.label) ? "Link" : Plain(link.label, kMaxName, html);
}

}  // namespace

std::string PlainText(const hsw::Message& message, std::size_t max_transcript) {
  std::string out = Plain(message.Title(), kMaxTitle, false) + "\n";
  EachField(message, [&](std::string_view name, std::string_view value) {
    out += "\n" + Plain(name, kMaxName, false) + ": " + Plain(value, kMaxValue, false);
  });
  if (!hsw::IsBlank(message.Text())) out += "\n\n" + Plain(message.Text(), kMaxText, false);
  for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks)) {
    out += "\n\n" + Label(link, false) + ": " + link.url;
  }
  if (max_transcript > 0 && !hsw::IsBlank(message.Transcript())) {
    out += "\n\nTranscript\n----------\n" + Plain(message.Transcript(), max_transcript, false);
  }
  return out + "\n";
}

std::string Html(const hsw::Message& message, std::size_t max_transcript) {
  // Inline styles, because mail programs drop style sheets.
  std::string out = R"(<!doctype html><html><body style="margin:0;padding:16px;font:15px/1.5 sans-serif;color:#222">)"
                    R"(<div style="border-left:4px solid )";
  out.append(Colour(message.Severity())).append(R"(;padding-left:12px"><h2 style="margin:0 0 8px;font-size:18px">)");
  out += Plain(message.Title(), kMaxTitle, true) + R"(</h2><table style="border-collapse:collapse">)";
  EachField(message, [&](std::string_view name, std::string_view value) {
    out += R"(<tr><td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">)" + Plain(name, kMaxName, true) +
           R"(</td><td style="padding:2px 0;white-space:pre-wrap">)" + Plain(value, kMaxValue, true) + "</td></tr>";
  });
  out += "</table>";
  if (!hsw::IsBlank(message.Text())) {
    out += R"(<p style="white-space:pre-wrap">)" + Plain(message.Text(), kMaxText, true) + "</p>";
  }
  for (const hsw::WebLink& link : hsw::WebLinks(message, kMaxLinks)) {
    out += R"(<p><a href=")" + Plain(link.url, link.url.size(), true) + R"(">)" + Label(link, true) + "</a></p>";
  }
  if (max_transcript > 0 && !hsw::IsBlank(message.Transcript())) {
    out += R"(<h3 style="margin:16px 0 4px;font-size:15px">Transcript</h3>)"
           R"(<div style="white-space:pre-wrap;background:#f5f5f5;padding:8px 12px">)" +
           Plain(message.Transcript(), max_transcript, true) + "</div>";
  }
  return out + "</div></body></html>\n";
}

}  // namespace email

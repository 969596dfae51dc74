# Writes a C++ file with the bytes of files: cmake -DFUNCTION=PageFiles -DFOLDER=page -DFILES=a.css,b.js -DOUTPUT=x.cpp
# -P embed.cmake. FUNCTION returns them as core/admin/embedded_file.h says. An index.html among them is given a link for
# each module, so that a browser asks for all of them at once instead of one after the other, as they import each other.
string(REPLACE "," ";" FILES "${FILES}")
set(MODULES "")
foreach(NAME IN LISTS FILES)
  if(NAME MATCHES "\\.js$")
    string(APPEND MODULES "<link rel=\"modulepreload\" href=\"page/${NAME}\">\n")
  endif()
endforeach()
set(ENTRIES "")
foreach(NAME IN LISTS FILES)
  if(NAME STREQUAL "index.html")
    file(READ "${FOLDER}/${NAME}" TEXT)
    string(REPLACE "</head>" "${MODULES}</head>" TEXT "${TEXT}")
    string(HEX "${TEXT}" BYTES)
  else()
    file(READ "${FOLDER}/${NAME}" BYTES HEX)
  endif()
  string(SHA256 TAG "${BYTES}")
  string(SUBSTRING "${TAG}" 0 16 TAG)
  string(LENGTH "${BYTES}" LENGTH)
  math(EXPR LENGTH "${LENGTH} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" BYTES "${BYTES}")
  string(APPEND ENTRIES "      {\"${NAME}\", \"\\\"${TAG}\\\"\", {\"${BYTES}\", ${LENGTH}}},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"core/admin/embedded_file.h\"

namespace hookswitch {

std::span<const EmbeddedFile> ${FUNCTION}() {
  static constexpr EmbeddedFile kFiles[] = {
${ENTRIES}  };
  return kFiles;
}

}  // namespace hookswitch
")

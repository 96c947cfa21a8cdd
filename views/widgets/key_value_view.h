// Sections of "key  value" rows, as the inspector shows them: headings, rows whose value can be copied, links, notes.
#pragma once

#include <QScrollArea>
#include <QString>
#include <vector>

class QGridLayout;

namespace strobe {

struct KeyValueRow {
    QString key;  // empty: the value is a note across both columns
    QString value;
    QString link;  // not empty: the value is a link, and linkActivated carries this
    bool mono = false;
    QString tooltip;
    bool operator==(const KeyValueRow&) const = default;
};

struct KeyValueSection {
    QString heading;
    std::vector<KeyValueRow> rows;
    bool operator==(const KeyValueSection&) const = default;
};

class KeyValueView : public QScrollArea {
    Q_OBJECT
public:
    explicit KeyValueView(QWidget* parent = nullptr);
    void setSections(std::vector<KeyValueSection> sections);  // the same again change nothing
    // Everything shown, as lines of "key: value".
    QString plainText() const;

signals:
    void linkActivated(const QString& link);

protected:
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    void rebuild();
    void addRow(QGridLayout& grid, int at, const KeyValueRow& row);

    std::vector<KeyValueSection> m_sections;
};

}  // namespace strobe

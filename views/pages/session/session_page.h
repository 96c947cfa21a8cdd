// What is in this session? The model, its builds with their latency, comparisons; which of them is looked at.
#pragma once

#include "views/pages/page.h"

class QMenu;
class QTreeWidget;
class QTreeWidgetItem;

namespace strobe {

class SessionPage : public Page {
    Q_OBJECT
public:
    explicit SessionPage(WorkbenchContext& context, QWidget* parent = nullptr);
    QTreeWidget& tree() const { return *m_tree; }
    QWidget* focusTarget() override;

private:
    void fill();
    void addHint(const QString& text);
    void addModel();
    void addBuilds();
    void addComparisons();
    void showRows();
    void choose(QTreeWidgetItem* item);
    void showMenu(const QPoint& at);
    void fillBuildMenu(QMenu& menu, int build);

    QTreeWidget* m_tree;
};

}  // namespace strobe

// What can I open? Recent files with their last figures, the sample, a place to drop a file.
#pragma once

#include "views/pages/page.h"

class QGridLayout;
class QLabel;
class QPushButton;

namespace strobe {

class RecentFiles;
struct RecentFile;

class StartPage : public Page {
    Q_OBJECT
public:
    StartPage(WorkbenchContext& context, RecentFiles& recent, const QString& samplePath, QWidget* parent = nullptr);

signals:
    void openRequested(const QString& path);

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void fillRecent();
    void addRecent(const RecentFile& file, int row);
    /// What a row's context menu offers; the keyboard has it by the menu key, and Delete.
    QList<QAction*> rowActions(QWidget& row, const QString& path, bool exists);
    void removeRecent(const QString& path);
    QWidget* makeActions(const QString& samplePath);
    QWidget* makeHelp();

    RecentFiles& m_recent;
    QGridLayout* m_rows;
    QLabel* m_recentHeading;
};

}  // namespace strobe
